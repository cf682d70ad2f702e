package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.util.Arrays;

/**
 * The three passes of a depthwise 3x3 convolution of stride 1 or 2 over whole vectors of channels. Memory sets the pace, so
 * image and result are read and written in place, in order and once: no padded copy, no channels apart. What lies outside the image is
 * read from a few pixels of zeros.
 */
final class ConvDepthwise {
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 18;
    /** Partial filters: enough for threads to share evenly. */
    private static final int CHUNKS = 16;
    /** Rows of results of a task. */
    private static final int ROWS = 8;

    private static final int TAPS = 9;

    private final ConvShape shape;
    private final int vectors;
    private final long pixel;
    private final int strideH, strideW;

    ConvDepthwise(ConvShape shape) {
        this.shape = shape;
        vectors = shape.c() / Lanes.FLOATS;
        pixel = (long) shape.c() * Float.BYTES;
        strideH = shape.geometry().strideH();
        strideW = shape.geometry().strideW();
    }

    static boolean fits(ConvShape shape) {
        int strideH = shape.geometry().strideH(), strideW = shape.geometry().strideW();
        return shape.depthwise()
                && shape.r() == 3
                && shape.s() == 3
                && shape.c() % Lanes.FLOATS == 0
                && strideH == strideW
                && strideH <= 2
                && shape.geometry().dilationH() == 1
                && shape.geometry().dilationW() == 1;
    }

    /** Where a row of results finds its sources. */
    private final class Row {
        final long zeros;
        final long[] rows = new long[3], advance = new long[3], taps = new long[TAPS];
        private final ConvAxis h, w;

        Row(ConvAxis h, ConvAxis w, long zeros) {
            this.h = h;
            this.w = w;
            this.zeros = zeros;
        }

        /** The results from .. to of a row whose taps all lie within the source's columns. */
        int from() {
            return Math.clamp(-Math.floorDiv(w.low(), w.stride()), 0, w.results());
        }

        int to() {
            return Math.clamp(Math.floorDiv(w.sources() - 3 - w.low(), w.stride()) + 1L, from(), w.results());
        }

        /** Sources of result row p at column q, which step on by {@code count} results. */
        void open(long image, int n, int p, int q, int count) {
            for (int r = 0; r < 3; r++) {
                int y = p * h.stride() + h.low() + r, x = q * w.stride() + w.low();
                boolean inside = y >= 0 && y < h.sources();
                rows[r] = inside ? image + (((long) n * h.sources() + y) * w.sources() + x) * pixel : zeros;
                advance[r] = inside ? count * w.stride() * pixel : 0;
            }
        }

        /** Sources of the nine taps of result (p, q). */
        void taps(long image, int n, int p, int q) {
            for (int i = 0; i < TAPS; i++) {
                int y = p * h.stride() + h.low() + i / 3, x = q * w.stride() + w.low() + i % 3;
                boolean inside = y >= 0 && y < h.sources() && x >= 0 && x < w.sources();
                taps[i] = inside ? image + (((long) n * h.sources() + y) * w.sources() + x) * pixel : zeros;
            }
        }
    }

    /** Bytes of zeros that a row needs: six pixels. */
    private long zeroBytes() {
        return 6 * pixel;
    }

    /** As {@link Correlation#run}. */
    void forward(
            Tensor x,
            Tensor filter,
            Tensor bias,
            Tensor y,
            boolean relu,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        int floor = relu ? 0 : ConvTile.UNBOUNDED;
        long shift = bias == null ? 0 : bias.address();
        correlate(
                shape.forwardH(),
                shape.forwardW(),
                x.address(),
                filter.address(),
                false,
                shift,
                y.address(),
                floor,
                epilogue,
                scratch,
                pool);
    }

    /** dx from dy: with stride 1 a correlation with the filter backwards. */
    void backwardData(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        ConvAxis h = shape.backwardH(), w = shape.backwardW();
        if (strideH > 1) {
            phases(h, w, dy.address(), filter.address(), dx.address(), scratch, pool);
            return;
        }
        correlate(h, w, dy.address(), filter.address(), true, 0, dx.address(), ConvTile.UNBOUNDED, null, scratch, pool);
    }

    private void correlate(
            ConvAxis h,
            ConvAxis w,
            long source,
            long filter,
            boolean turned,
            long bias,
            long result,
            int floor,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        long zeros = scratch.address(zeroBytes() + TAPS * pixel), packed = zeros + zeroBytes();
        Copies.zero(zeros, zeroBytes());
        DepthwiseRows.pack(turned ? filter + (TAPS - 1) * pixel : filter, turned ? -pixel : pixel, vectors, packed);
        long shift = bias == 0 ? zeros : bias;
        int rows = shape.n() * h.results();
        Blocks.run(pool, shape.work() >= PARALLEL, (rows + ROWS - 1) / ROWS, task -> {
            Row row = new Row(h, w, zeros);
            for (int i = task * ROWS; i < Math.min(rows, (task + 1) * ROWS); i++) {
                long to = result + (long) i * w.results() * pixel;
                row(row, source, i / h.results(), i % h.results(), packed, shift, floor, to);
                if (epilogue != null) {
                    epilogue.apply(to, pixel, i * w.results(), w.results(), 0, shape.c());
                }
            }
        });
    }

    private void row(Row row, long source, int n, int p, long filter, long bias, int floor, long to) {
        int step = row.w.stride() == 1 ? 4 : 2, from = row.from();
        int steps = (row.to() - from) / step, done = from + steps * step;
        row.open(source, n, p, from, step);
        long[] r = row.rows, d = row.advance;
        long at = to + from * pixel;
        if (step == 4) {
            DepthwiseRows.four(r[0], r[1], r[2], d[0], d[1], d[2], pixel, filter, steps, vectors, bias, floor, at);
        } else {
            long next = row.w.stride() * pixel;
            DepthwiseRows.two(r[0], r[1], r[2], d[0], d[1], d[2], pixel, next, filter, steps, vectors, bias, floor, at);
        }
        for (int q = 0; q < row.w.results(); q++) {
            if (q == from) {
                q = done;
            }
            if (q < row.w.results()) {
                row.taps(source, n, p, q);
                DepthwiseRows.nine(row.taps, filter, vectors, bias, floor, to + q * pixel);
            }
        }
    }

    /** The gradient by the image for stride 2: each pixel meets at most two taps along each axis. */
    private void phases(
            ConvAxis h, ConvAxis w, long signal, long filter, long image, Scratch scratch, WorkerPool pool) {
        long tapBytes = TAPS * pixel, zeros = scratch.address(zeroBytes() + 2 * tapBytes);
        long packed = zeros + zeroBytes(), none = packed + tapBytes;
        Copies.zero(zeros, zeroBytes());
        Copies.zero(none, tapBytes);
        DepthwiseRows.pack(filter, pixel, vectors, packed);
        long[] columns = places(w, shape.w(), shape.q(), pixel), columnTaps = taps(w, shape.w(), Lanes.BYTES);
        long[] lines = places(h, shape.h(), shape.p(), shape.q() * pixel),
                lineTaps = taps(h, shape.h(), 3L * Lanes.BYTES);
        Blocks.run(pool, shape.work() >= PARALLEL, shape.n() * shape.h(), task -> {
            long[] sources = new long[4], taps = new long[4];
            int y = task % shape.h();
            long from = signal + (long) (task / shape.h()) * shape.p() * shape.q() * pixel;
            for (int x = 0; x < shape.w(); x++) {
                for (int i = 0; i < 4; i++) {
                    int down = 2 * y + i / 2, across = 2 * x + i % 2;
                    boolean inside = lines[down] >= 0 && columns[across] >= 0;
                    sources[i] = inside ? from + lines[down] + columns[across] : zeros;
                    taps[i] = inside ? packed + lineTaps[down] + columnTaps[across] : none;
                }
                DepthwiseRows.quad(sources, taps, vectors, image + ((long) task * shape.w() + x) * pixel);
            }
        });
    }

    /** Of every image position along an axis, where the two taps at most that meet it read dy, or -1. */
    private static long[] places(ConvAxis axis, int count, int sources, long step) {
        long[] places = new long[2 * count];
        Arrays.fill(places, -1);
        for (int x = 0; x < count; x++) {
            int i = 2 * x;
            for (ConvAxis.Tap tap : axis.phases().get(x % axis.spread())) {
                int q = x / axis.spread() + tap.offset();
                places[i++] = q >= 0 && q < sources ? q * step : -1;
            }
        }
        return places;
    }

    /** Where these taps lie in the packed filter. */
    private static long[] taps(ConvAxis axis, int count, long step) {
        long[] taps = new long[2 * count];
        for (int x = 0; x < count; x++) {
            int i = 2 * x;
            for (ConvAxis.Tap tap : axis.phases().get(x % axis.spread())) {
                taps[i++] = tap.index() * step;
            }
        }
        return taps;
    }

    /** dfilter from x and dy: rows of dy are dealt out to chunks, each with a filter of its own. */
    void backwardWeights(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        ConvAxis h = shape.forwardH(), w = shape.forwardW();
        int rows = shape.n() * shape.p(), chunks = Math.clamp(rows / ROWS, 1, CHUNKS);
        long part = TAPS * pixel, image = x.address(), signal = dy.address();
        long zeros = scratch.address(zeroBytes() + (chunks + 1) * part), parts = zeros + zeroBytes();
        Copies.zero(zeros, zeroBytes() + chunks * part);
        long sum = parts + chunks * part;
        boolean parallel = shape.work() >= PARALLEL;
        Blocks.run(pool, parallel, chunks, chunk -> {
            Row row = new Row(h, w, zeros);
            int from = (int) ((long) rows * chunk / chunks), to = (int) ((long) rows * (chunk + 1) / chunks);
            for (int i = from; i < to; i++) {
                long at = signal + (long) i * shape.q() * pixel;
                addRow(row, image, i / shape.p(), i % shape.p(), at, parts + chunk * part);
            }
        });
        Sums.rows(pool, parallel, parts, part, chunks, sum, shape.filterElements());
        DepthwiseRows.unpack(sum, vectors, dfilter.address(), pixel);
    }

    private void addRow(Row row, long image, int n, int p, long dy, long dw) {
        int step = strideW == 1 ? 4 : 2, from = row.from();
        int steps = (row.to() - from) / step, done = from + steps * step;
        row.open(image, n, p, from, step);
        long[] r = row.rows, d = row.advance;
        long at = dy + from * pixel;
        if (step == 4) {
            DepthwiseRows.addFour(r[0], r[1], r[2], d[0], d[1], d[2], pixel, at, steps, vectors, dw);
        } else {
            long next = strideW * pixel;
            DepthwiseRows.addTwo(r[0], r[1], r[2], d[0], d[1], d[2], pixel, next, at, steps, vectors, dw);
        }
        for (int q = 0; q < shape.q(); q++) {
            if (q == from) {
                q = done;
            }
            if (q < shape.q()) {
                row.taps(image, n, p, q);
                DepthwiseRows.addNine(row.taps, dy + q * pixel, vectors, dw);
            }
        }
    }
}
