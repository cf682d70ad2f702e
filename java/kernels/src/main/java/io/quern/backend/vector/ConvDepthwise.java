package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * The three passes of a depthwise 3x3 convolution of stride 1 or 2 over whole vectors of channels: one vector of channels
 * goes over an area of results at a time, with its filter, or the sums for it, in registers.
 */
final class ConvDepthwise {
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 18;
    /** Partial filters: enough for threads to share evenly. */
    private static final int CHUNKS = 16;

    /** Bytes of a row of the image that kernels can step over. */
    private static final long MOST_ROW = Integer.MAX_VALUE / 8;

    private static final int SIDE = 3, TAPS = SIDE * SIDE;
    /** Bytes of the nine taps of a vector of channels. */
    private static final long FILTER = (long) TAPS * Lanes.BYTES;

    private final ConvShape shape;
    private final int vectors, stride;
    private final long pixel;
    private final boolean parallel;
    private final Walk forward, backward;

    /** The axes of a pass, and how its results are dealt out. */
    private record Walk(ConvAxis h, ConvAxis w, DepthwiseAreas areas) {}

    ConvDepthwise(ConvShape shape) {
        this.shape = shape;
        vectors = shape.c() / Lanes.FLOATS;
        stride = shape.geometry().strideH();
        pixel = (long) shape.c() * Float.BYTES;
        parallel = shape.work() >= PARALLEL;
        forward = walk(shape.forwardH(), shape.forwardW(), SIDE);
        if (stride == 1) {
            backward = walk(shape.backwardH(), shape.backwardW(), SIDE);
        } else {
            ConvAxis h = blocks(shape.h(), shape.p(), shape.geometry().paddingH());
            backward = walk(h, blocks(shape.w(), shape.q(), shape.geometry().paddingW()), 2);
        }
    }

    static boolean fits(ConvShape shape) {
        int strideH = shape.geometry().strideH(), strideW = shape.geometry().strideW();
        return shape.depthwise()
                && shape.r() == SIDE
                && shape.s() == SIDE
                && shape.c() % Lanes.FLOATS == 0
                && strideH == strideW
                && strideH <= 2
                && shape.geometry().dilationH() == 1
                && shape.geometry().dilationW() == 1
                && (shape.w() + 2L * shape.geometry().paddingW()) * shape.c() * Float.BYTES <= MOST_ROW;
    }

    /** @param reach sources of a result along each axis; two are those of {@link #spread} */
    private Walk walk(ConvAxis h, ConvAxis w, int reach) {
        return new Walk(h, w, new DepthwiseAreas(h, w, h.results(), w.results(), reach, vectors, reach == SIDE));
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
        correlate(forward, x, taps, pixel, shift, y, floor, epilogue, scratch, pool);
    }

    /** dx from dy: with stride 1 a correlation with the filter backwards. */
    void backwardData(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        if (stride > 1) {
            spread(dy, filter, dx, scratch, pool);
            return;
        }
        long last = filter.address() + (TAPS - 1) * pixel;
        int floor = ConvTile.UNBOUNDED;
        correlate(backward, dy, last, -pixel, 0, dx, floor, null, scratch, pool);
    }

    /**
     * @param filter the first tap, {@code tap} bytes from the next
     * @param bias one float per channel, or 0
     */
    private void correlate(
            Walk walk,
            Tensor x,
            long filter,
            long tap,
            long bias,
            Tensor y,
            int floor,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        DepthwiseAreas areas = walk.areas;
        ConvAxis h = walk.h, w = walk.w;
        long packed = scratch.address(TAPS * pixel + pixel + areas.bytes()), none = packed + TAPS * pixel;
        DepthwiseCopies.pack(filter, tap, vectors, packed);
        Copies.zero(none, pixel);
        long shift = bias == 0 ? none : bias, own = none + pixel, line = w.results() * pixel;
        long image = x.address(), result = y.address();
        Thread caller = Thread.currentThread();
        Blocks.run(pool, parallel, shape.n() * areas.count() * areas.groups(), task -> {
            int group = task % areas.groups(), unit = task / areas.groups(), n = unit / areas.count();
            int first = group * DepthwiseAreas.TOGETHER, count = areas.vectors(group);
            DepthwiseAreas.Area area = areas.area(unit % areas.count());
            long slabs = Thread.currentThread() == caller ? own : scratch.address(areas.bytes());
            long from = areas.open(area, image + (long) n * h.sources() * w.sources() * pixel, group, slabs);
            long column = (long) first * Lanes.BYTES, step = areas.tap(area), row = areas.rowBytes(area);
            long to = result + ((long) n * h.results() + area.p()) * line + area.q() * pixel + column;
            for (int v = 0; v < count; v++) {
                DepthwiseCorrelation.correlate(
                        from + v * areas.vectorBytes(area),
                        step,
                        row,
                        h.stride() * step,
                        h.stride() * row,
                        packed + (first + v) * FILTER,
                        shift + column + (long) v * Lanes.BYTES,
                        floor,
                        area.rows(),
                        area.columns(),
                        to + (long) v * Lanes.BYTES,
                        pixel,
                        line);
            }
            if (epilogue != null) {
                for (int p = 0; p < area.rows(); p++) {
                    int at = (n * h.results() + area.p() + p) * w.results() + area.q();
                    int channel = first * Lanes.FLOATS, channels = count * Lanes.FLOATS;
                    epilogue.apply(to + p * line, pixel, at, area.columns(), channel, channels);
                }
            }
        });
    }

    /**
     * The gradient by the image for stride 2, in blocks of 2x2 pixels. Pixel 1 - padding + 2 i of an axis meets the middle
     * tap at result i; the pixel after it the last tap at i and the first at i + 1.
     */
    private void spread(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        ConvAxis h = backward.h, w = backward.w;
        int top = 2 * h.low() + 1 - shape.geometry().paddingH(),
                left = 2 * w.low() + 1 - shape.geometry().paddingW();
        DepthwiseAreas areas = backward.areas;
        long bytes = areas.bytes() + 4L * Lanes.BYTES, packed = scratch.address(TAPS * pixel + bytes);
        long own = packed + TAPS * pixel, signal = dy.address(), image = dx.address();
        DepthwiseCopies.pack(filter.address(), pixel, vectors, packed);
        Thread caller = Thread.currentThread();
        Blocks.run(pool, parallel, shape.n() * areas.count() * areas.groups(), task -> {
            int group = task % areas.groups(), unit = task / areas.groups(), n = unit / areas.count();
            int first = group * DepthwiseAreas.TOGETHER;
            DepthwiseAreas.Area area = areas.area(unit % areas.count());
            long slabs = Thread.currentThread() == caller ? own : scratch.address(bytes);
            long spare = slabs + areas.bytes(), row = areas.rowBytes(area);
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
                    long at = from + v * areas.vectorBytes(area) + i * row;
                    pair.run(at, top + 2 * (area.p() + i), left, area.columns());
                }
            }
        });
    }

    /** Blocks of two pixels that cover an axis, as results of sources from {@code low} on. */
    private static ConvAxis blocks(int size, int sources, int padding) {
        int low = Math.floorDiv(padding - 1, 2), count = (size - (1 - padding + 2 * low) + 1) / 2;
        return ConvAxis.forward(sources, count, 2, 1, -low, 1);
    }

    /** dfilter from x and dy: areas are dealt out to chunks, each with a filter of its own. */
    void backwardWeights(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        ConvAxis h = forward.h, w = forward.w;
        DepthwiseAreas areas = forward.areas;
        int units = shape.n() * areas.count(), chunks = Math.clamp(units, 1, CHUNKS);
        long part = TAPS * pixel, parts = scratch.address((chunks + 1) * part + areas.bytes());
        long sum = parts + chunks * part, own = sum + part, line = w.results() * pixel;
        long image = x.address(), signal = dy.address();
        Copies.zero(parts, chunks * part);
        Thread caller = Thread.currentThread();
        Blocks.run(pool, parallel, chunks * areas.groups(), task -> {
            int group = task % areas.groups(), chunk = task / areas.groups(), first = group * DepthwiseAreas.TOGETHER;
            int start = (int) ((long) units * chunk / chunks), end = (int) ((long) units * (chunk + 1) / chunks);
            long slabs = Thread.currentThread() == caller ? own : scratch.address(areas.bytes());
            for (int unit = start; unit < end; unit++) {
                int n = unit / areas.count();
                DepthwiseAreas.Area area = areas.area(unit % areas.count());
                long from = areas.open(area, image + (long) n * h.sources() * w.sources() * pixel, group, slabs);
                long step = areas.tap(area), row = areas.rowBytes(area), column = (long) first * Lanes.BYTES;
                long at = signal + ((long) n * h.results() + area.p()) * line + area.q() * pixel + column;
                for (int v = 0; v < areas.vectors(group); v++) {
                    DepthwiseGradient.gradient(
                            from + v * areas.vectorBytes(area),
                            step,
                            row,
                            h.stride() * step,
                            h.stride() * row,
                            at + (long) v * Lanes.BYTES,
                            pixel,
                            line,
                            area.rows(),
                            area.columns(),
                            parts + chunk * part + (first + v) * FILTER);
                }
            }
        });
        Sums.rows(pool, parallel, parts, part, chunks, sum, shape.filterElements());
        DepthwiseCopies.unpack(sum, vectors, dfilter.address(), pixel);
    }
}
