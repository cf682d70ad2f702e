package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.EQ;

import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;

/**
 * The gradient of an image row from the taps of all windows that reach into it: a pixel adds up its windows in a register and
 * is written once, where sending each window's gradient to its tap would load and store the pixel for every one. For windows
 * of 3 x 3 that overlap, and channels that are a multiple of a vector.
 *
 * @param w pixels of an image row
 * @param q windows of a row
 */
record MaxPoolGather(PoolGeometry geometry, int w, int q, int c) {
    /** A row of windows: addresses of its gradients and of its taps, and the number of the first tap in the image row. */
    record Source(long dy, long tap, int number) {}

    static boolean fits(PoolGeometry geometry) {
        int stride = geometry.strideW();
        return geometry.windowH() == 3 && geometry.windowW() == 3 && geometry.strideH() == stride && stride <= 2;
    }

    /**
     * @param dx the image row
     * @param sources one or two, or three with stride 1, in order
     */
    void row(long dx, Source... sources) {
        int padding = geometry.paddingW();
        int stride = geometry.strideW();
        // units of `stride` pixels; all windows that can reach the last one exist
        int from = stride == 1 ? Math.max(0, padding - 2) : padding / 2;
        int pixel = stride * from + 3 - stride - padding;
        int units = Math.max(0, Math.min(q - 3 + stride - from, (w - pixel) / stride));
        int first = Math.min(pixel, w);
        pixels(dx, 0, first, sources);
        int vectors = units * (c / Lanes.FLOATS);
        long window = 4L * from * c;
        long at = dx + 4L * pixel * c;
        Source a = sources[0];
        Source b = sources[sources.length > 1 ? 1 : 0];
        if (stride == 1) {
            Source d = sources[2];
            three(
                    at,
                    a.dy + window,
                    a.tap + window,
                    a.number,
                    b.dy + window,
                    b.tap + window,
                    b.number,
                    d.dy + window,
                    d.tap + window,
                    d.number,
                    vectors,
                    c);
        } else if (sources.length == 1) {
            pairs(at, a.dy + window, a.tap + window, a.number, vectors, c);
        } else {
            pairs(at, a.dy + window, a.tap + window, a.number, b.dy + window, b.tap + window, b.number, vectors, c);
        }
        pixels(dx, first + stride * units, w, sources);
    }

    private void pixels(long dx, int from, int end, Source... sources) {
        for (int column = from; column < end; column++) {
            pixel(dx, column, sources);
        }
    }

    /** Any pixel. */
    private void pixel(long dx, int column, Source[] sources) {
        long to = dx + 4L * column * c;
        Copies.zero(to, 4L * c);
        int from = geometry.firstWindowOfColumn(column);
        int end = geometry.endWindowOfColumn(column, q);
        for (Source source : sources) {
            for (int j = from; j < end; j++) {
                int tap = source.number + column + geometry.paddingW() - j * geometry.strideW();
                add(to, source.dy + 4L * j * c, source.tap + 4L * j * c, tap, c);
            }
        }
    }

    private static void add(long dx, long dy, long tap, float number, int c) {
        for (int channel = 0; channel < c; channel += Lanes.FLOATS) {
            long at = 4L * channel;
            FloatVector.fromMemorySegment(Lanes.F, ALL, dx + at, Lanes.ORDER)
                    .add(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, tap + at, Lanes.ORDER)
                                    .compare(EQ, number))
                    .intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
    }

    /** Stride 1: a pixel is the last tap of a window, the middle one of the next and the first of the third. */
    private static void three(
            long dx,
            long dyA,
            long tapA,
            float a,
            long dyB,
            long tapB,
            float b,
            long dyC,
            long tapC,
            float c,
            int vectors,
            int channels) {
        // not negative, and known not to be: one address serves all
        long next = 4L * channels & Integer.MAX_VALUE;
        for (int i = 0; i < vectors; i++) {
            long at = (long) i * Lanes.BYTES;
            long g = dyA + at & Lanes.ADDRESS;
            long t = tapA + at & Lanes.ADDRESS;
            FloatVector sum = FloatVector.zero(Lanes.F)
                    .add(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER)
                                    .compare(EQ, a + 2));
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER)
                            .compare(EQ, a + 1));
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g + 2 * next, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t + 2 * next, Lanes.ORDER)
                            .compare(EQ, a));
            g = dyB + at & Lanes.ADDRESS;
            t = tapB + at & Lanes.ADDRESS;
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER).compare(EQ, b + 2));
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER)
                            .compare(EQ, b + 1));
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g + 2 * next, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t + 2 * next, Lanes.ORDER)
                            .compare(EQ, b));
            g = dyC + at & Lanes.ADDRESS;
            t = tapC + at & Lanes.ADDRESS;
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER).compare(EQ, c + 2));
            sum = sum.add(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER),
                    FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER)
                            .compare(EQ, c + 1));
            sum.add(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, g + 2 * next, Lanes.ORDER),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, t + 2 * next, Lanes.ORDER)
                                    .compare(EQ, c))
                    .intoMemorySegment(ALL, dx + at & Lanes.ADDRESS, Lanes.ORDER);
        }
    }

    /** Stride 2: a pixel that is one window's middle tap, then one that is its last and the next window's first. */
    private static void pairs(long dx, long dy, long tap, float number, int vectors, int c) {
        FloatVector zero = FloatVector.zero(Lanes.F);
        long next = 4L * c & Integer.MAX_VALUE;
        long to = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long at = (long) i * Lanes.BYTES;
            long t = tap + at & Lanes.ADDRESS;
            long g = dy + at & Lanes.ADDRESS;
            to &= Lanes.ADDRESS;
            FloatVector t0 = FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER);
            FloatVector g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER);
            FloatVector t1 = FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER);
            FloatVector g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER);
            zero.add(g0, t0.compare(EQ, number + 1)).intoMemorySegment(ALL, to, Lanes.ORDER);
            zero.add(g0, t0.compare(EQ, number + 2))
                    .add(g1, t1.compare(EQ, number))
                    .intoMemorySegment(ALL, to + next, Lanes.ORDER);
            to += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                to += next;
            }
        }
    }

    /** The same where two rows of windows reach. */
    private static void pairs(long dx, long dyA, long tapA, float a, long dyB, long tapB, float b, int vectors, int c) {
        FloatVector zero = FloatVector.zero(Lanes.F);
        long next = 4L * c & Integer.MAX_VALUE;
        long to = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long at = (long) i * Lanes.BYTES;
            long t = tapA + at & Lanes.ADDRESS;
            long g = dyA + at & Lanes.ADDRESS;
            to &= Lanes.ADDRESS;
            FloatVector t0 = FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER);
            FloatVector g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER);
            FloatVector t1 = FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER);
            FloatVector g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER);
            FloatVector even = zero.add(g0, t0.compare(EQ, a + 1));
            FloatVector odd = zero.add(g0, t0.compare(EQ, a + 2)).add(g1, t1.compare(EQ, a));
            t = tapB + at & Lanes.ADDRESS;
            g = dyB + at & Lanes.ADDRESS;
            t0 = FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER);
            g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER);
            t1 = FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER);
            g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER);
            even.add(g0, t0.compare(EQ, b + 1)).intoMemorySegment(ALL, to, Lanes.ORDER);
            odd.add(g0, t0.compare(EQ, b + 2))
                    .add(g1, t1.compare(EQ, b))
                    .intoMemorySegment(ALL, to + next, Lanes.ORDER);
            to += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                to += next;
            }
        }
    }
}
