package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * The three passes of a depthwise 3x3 convolution of stride 1 or 2 over whole vectors of channels: one vector of channels
 * goes over some rows at a time, with its filter, or the sums for it, in registers.
 */
final class ConvDepthwise {
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 18;
    /** Bytes of a row of the image that kernels can step over. */
    private static final long MOST_ROW = Integer.MAX_VALUE / 8;

    /** Calls at least, where there are rows for them, and rows of results of a call, or pairs of rows, with stride 2 or in machine code. */
    private static final int TASKS = 16, LEAST = 4, MOST = 28;

    static final int SIDE = 3, TAPS = SIDE * SIDE;
    /** Bytes of the nine taps of a vector of channels. */
    static final long FILTER = (long) TAPS * Lanes.BYTES;

    private final ConvShape shape;
    private final int vectors, stride;
    private final long pixel;
    private final boolean parallel;
    private final ConvAxis forwardH, forwardW, backwardH, backwardW;
    /** How {@link #spread} cuts its blocks, or null with stride 1. */
    private final DepthwiseAreas areas;

    private final DepthwiseWeights weights;

    ConvDepthwise(ConvShape shape) {
        this.shape = shape;
        vectors = shape.c() / Lanes.FLOATS;
        stride = shape.geometry().strideH();
        pixel = (long) shape.c() * Float.BYTES;
        parallel = shape.work() >= PARALLEL;
        forwardH = shape.forwardH();
        forwardW = shape.forwardW();
        boolean dense = stride == 1;
        backwardH = dense
                ? shape.backwardH()
                : blocks(shape.h(), shape.p(), shape.geometry().paddingH());
        backwardW = dense
                ? shape.backwardW()
                : blocks(shape.w(), shape.q(), shape.geometry().paddingW());
        areas = dense ? null : new DepthwiseAreas(backwardH, backwardW, vectors);
        weights = new DepthwiseWeights(shape, forwardH, forwardW);
    }

    static boolean fits(ConvShape shape) {
        int strideH = shape.geometry().strideH(), strideW = shape.geometry().strideW();
        return shape.depthwise()
                && shape.r() == SIDE
                && shape.s() == SIDE
                && shape.c() % Lanes.FLOATS == 0
                && strideH == strideW
                && strideH <= 2
                && shape.geometry().paddingH() < SIDE
                && shape.geometry().paddingW() <= SIDE - 1 - strideW / 2
                && shape.geometry().dilationH() == 1
                && shape.geometry().dilationW() == 1
                && (shape.w() + 2L * shape.geometry().paddingW()) * shape.c() * Float.BYTES <= MOST_ROW;
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
        long shift = bias == null ? 0 : bias.address(), taps = filter.address();
        correlate(forwardH, forwardW, x, taps, pixel, shift, y, floor, epilogue, scratch, pool);
    }

    /** dx from dy: with stride 1 a correlation with the filter backwards. */
    void backwardData(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        if (stride > 1) {
            spread(dy, filter, dx, scratch, pool);
            return;
        }
        long last = filter.address() + (TAPS - 1) * pixel;
        int floor = ConvTile.UNBOUNDED;
        correlate(backwardH, backwardW, dy, last, -pixel, 0, dx, floor, null, scratch, pool);
    }

    /**
     * @param filter the first tap, {@code tap} bytes from the next
     * @param bias one float per channel, or 0
     */
    private void correlate(
            ConvAxis h,
            ConvAxis w,
            Tensor x,
            long filter,
            long tap,
            long bias,
            Tensor y,
            int floor,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        int rows = h.results(), wide = w.results();
        if (rows == 0 || wide == 0) {
            return;
        }
        long packed = scratch.address(TAPS * pixel + pixel + sourceBytes(w)), none = packed + TAPS * pixel;
        DepthwiseCopies.pack(filter, tap, vectors, packed);
        Copies.zero(none, pixel);
        boolean coded = DepthwiseCode.takes(Math.max(w.sources(), wide));
        DepthwiseSource source = source(h, w, none + pixel, coded ? pixel : Lanes.BYTES);
        long shift = bias == 0 ? none : bias, line = wide * pixel, image = x.address(), result = y.address();
        // Many rows a call, but four in Java with stride 1: the filter is loaded once for them, and with stride 2
        // a row of sources in two stays in L1.
        // Where they come from memory, few: each vector of channels reads them again, then from L2.
        boolean far = (x.elements() + y.elements()) * Float.BYTES >= Copies.CACHED;
        int most = far ? LEAST : MOST;
        boolean past = epilogue == null && passesBy(x, y);
        int band = stride == 1 && !coded
                ? DepthwiseCorrelation.ROWS
                : Math.clamp((long) shape.n() * rows / TASKS, LEAST, most);
        int bands = Math.ceilDiv(rows, band);
        Blocks.run(pool, parallel, shape.n() * bands, task -> {
            int n = task / bands, from = task % bands * band, to = Math.min(rows, from + band);
            long first = image + (long) n * h.sources() * w.sources() * pixel, at = result + n * rows * line;
            long sources = w.sources() * pixel;
            long ahead = first + Math.min(h.sources(), (to - 1) * h.stride() + SIDE + h.low()) * sources;
            if (coded) {
                DepthwiseCode.Band results = DepthwiseCode.Band.of(h.stride(), source, first, at, wide, from, to);
                if (far || past) {
                    results = results.askingFor(ahead, ahead);
                }
                for (int v = 0; v < vectors; v++) {
                    long column = (long) v * Lanes.BYTES;
                    results.correlate(source, column, packed + v * FILTER, shift + column, floor, past);
                }
            } else {
                long part = Math.max(1, band * h.stride() * sources / vectors);
                for (int v = 0; v < vectors; v++) {
                    long column = (long) v * Lanes.BYTES, taps = packed + v * FILTER;
                    if (far) {
                        // a part of what the next band reads: all at once would leave nothing to compute meanwhile
                        Prefetch.forReading(ahead + v * part, part, 1, part);
                    }
                    if (h.stride() == 1) {
                        DepthwiseCorrelation.correlate(
                                source, first + column, taps, shift + column, floor, from, to, at + column, line);
                    } else {
                        DepthwiseCorrelation.strided(
                                source, first + column, taps, shift + column, floor, from, to, at + column, line);
                    }
                }
            }
            if (epilogue != null) {
                int pixels = (n * rows + from) * wide;
                epilogue.apply(at + from * line, pixel, pixels, (to - from) * wide, 0, shape.c());
            }
        });
    }

    /** Results lie a pixel apart, so sources count, too: see bench/lab/conv-code.md, trial 15. */
    private static boolean passesBy(Tensor x, Tensor y) {
        return StreamCode.passesBy((x.elements() + y.elements()) * Float.BYTES, y.address());
    }

    private long sourceBytes(ConvAxis w) {
        return (long) (w.sources() + w.results()) * pixel;
    }

    /**
     * @param own {@link #sourceBytes} of memory
     * @param bytes of the pixels of the row of zeros that are read
     */
    private DepthwiseSource source(ConvAxis h, ConvAxis w, long own, long bytes) {
        for (int i = 0; i < Math.max(w.sources(), w.results()); i++) {
            Copies.zero(own + i * pixel, bytes);
        }
        return new DepthwiseSource(h.sources(), w.sources(), -h.low(), -w.low(), pixel, own, own + w.sources() * pixel);
    }

    /**
     * The gradient by the image for stride 2, in blocks of 2x2 pixels. Pixel 1 - padding + 2 i of an axis meets the middle
     * tap at result i; the pixel after it the last tap at i and the first at i + 1.
     */
    private void spread(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        if (DepthwiseSpreadCode.takes(shape.w(), shape.q())) {
            spreadByCode(dy, filter, dx, scratch, pool);
            return;
        }
        int top = 2 * backwardH.low() + 1 - shape.geometry().paddingH(),
                left = 2 * backwardW.low() + 1 - shape.geometry().paddingW();
        long bytes = areas.bytes() + 4L * Lanes.BYTES, packed = scratch.address(TAPS * pixel + bytes);
        long own = packed + TAPS * pixel, signal = dy.address(), image = dx.address();
        DepthwiseCopies.pack(filter.address(), pixel, vectors, packed);
        Thread caller = Thread.currentThread();
        Blocks.run(pool, parallel, shape.n() * areas.count() * areas.groups(), task -> {
            int group = task % areas.groups(), unit = task / areas.groups(), n = unit / areas.count();
            int first = group * DepthwiseAreas.TOGETHER;
            DepthwiseAreas.Area area = areas.area(unit % areas.count());
            long slabs = Thread.currentThread() == caller ? own : scratch.address(bytes);
            long spare = slabs + areas.bytes(), row = areas.rowBytes();
            long from = areas.open(area, signal + (long) n * shape.p() * shape.q() * pixel, group, slabs);
            long to = image + (long) n * shape.h() * shape.w() * pixel + (long) first * Lanes.BYTES;
            for (int v = 0; v < areas.vectors(group); v++) {
                DepthwiseRowPair pair = new DepthwiseRowPair(
                        row,
                        packed + (first + v) * FILTER,
                        to + (long) v * Lanes.BYTES,
                        shape.h(),
                        shape.w(),
                        pixel,
                        spare);
                for (int i = 0; i < area.rows(); i++) {
                    long at = from + v * areas.vectorBytes() + i * row;
                    pair.run(at, top + 2 * (area.p() + i), left, backwardW.results());
                }
            }
        });
    }

    private void spreadByCode(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        int rows = backwardH.results(),
                top = 2 * backwardH.low() + 1 - shape.geometry().paddingH();
        long packed = scratch.address((TAPS + (long) shape.q() + shape.w()) * pixel), zeros = packed + TAPS * pixel;
        DepthwiseCopies.pack(filter.address(), pixel, vectors, packed);
        Copies.zero(zeros, shape.q() * pixel);
        DepthwiseSource source = new DepthwiseSource(
                shape.p(), shape.q(), -backwardH.low(), -backwardW.low(), pixel, zeros, zeros + shape.q() * pixel);
        long signal = dy.address(), image = dx.address();
        boolean far = (dy.elements() + dx.elements()) * Float.BYTES >= Copies.CACHED, past = passesBy(dy, dx);
        int band = Math.clamp((long) shape.n() * rows / TASKS, LEAST, far ? LEAST : MOST);
        int bands = Math.ceilDiv(rows, band);
        Blocks.run(pool, parallel, shape.n() * bands, task -> {
            int n = task / bands, from = task % bands * band, to = Math.min(rows, from + band);
            DepthwiseSpreadCode.Band pairs = DepthwiseSpreadCode.Band.of(
                    source,
                    signal + (long) n * shape.p() * shape.q() * pixel,
                    image + (long) n * shape.h() * shape.w() * pixel,
                    shape.h(),
                    shape.w(),
                    backwardW.results(),
                    from,
                    to,
                    top,
                    past);
            for (int v = 0; v < vectors; v++) {
                pairs.run((long) v * Lanes.BYTES, packed + v * FILTER);
            }
        });
    }

    /** Blocks of two pixels that cover an axis, as results of sources from {@code low} on. */
    private static ConvAxis blocks(int size, int sources, int padding) {
        int low = Math.floorDiv(padding - 1, 2), count = (size - (1 - padding + 2 * low) + 1) / 2;
        return ConvAxis.forward(sources, count, 2, 1, -low, 1);
    }

    /** dfilter from x and dy. */
    void backwardWeights(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        weights.run(x.address(), dy.address(), dfilter.address(), parallel, scratch, pool);
    }
}
