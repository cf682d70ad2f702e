package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.NE;

import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * A row of windows of 3 x 3 with stride 1: one loop finds their taps, as {@link MaxPoolTaps#nine} does, and adds their
 * gradients to three image rows, a pixel of each at a time. The last of these rows is written, as no window before reaches
 * it. For channels that are a multiple of a vector.
 *
 * @param x the first of the three image rows
 * @param dx the same row of the gradient
 * @param rowBytes of an image row
 * @param tap of the row of windows; written
 * @param dy gradients of the row of windows
 * @param c channels
 */
record MaxPoolTriples(long x, long dx, long rowBytes, long tap, long dy, int c) {
    /**
     * Windows that lie in the image, and the first of their columns.
     *
     * @param window the first of them; the taps and gradients of the two before are read too
     * @param column the first of this window's image columns
     * @return whether the last image row is finite, from the third of these columns to the last window's third; if not, the
     *     results are worth nothing
     */
    boolean windows(int window, int count, int column) {
        long before = 4L * (window - 2) * c;
        long first = 4L * column * c;
        return windows(x + first, dx + first, rowBytes, tap + before, dy + before, count * (c / Lanes.FLOATS), c);
    }

    /** Gradients and taps begin two windows before the first. */
    private static boolean windows(long x, long dx, long rowBytes, long tap, long dy, int vectors, int c) {
        // not negative, and known not to be: one address serves all
        long next = 4L * c & Integer.MAX_VALUE;
        long below = rowBytes & Lanes.ADDRESS;
        // 0 x is 0 unless x is infinite or NaN
        FloatVector zero = FloatVector.zero(Lanes.F);
        FloatVector all = zero;
        for (int i = 0; i < vectors; i++) {
            long at = (long) i * Lanes.BYTES;
            long r = x + at & Lanes.ADDRESS;
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, r, Lanes.ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + next, Lanes.ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * next, Lanes.ORDER);
            VectorMask<Float> k1 = v1.compare(GT, v0);
            v0 = v0.blend(v1, k1);
            FloatVector n0 = zero.blend(1f, k1);
            VectorMask<Float> k2 = v2.compare(GT, v0);
            v0 = v0.blend(v2, k2);
            n0 = n0.blend(2f, k2);
            FloatVector v3 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below, Lanes.ORDER);
            FloatVector v4 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below + next, Lanes.ORDER);
            FloatVector v5 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below + 2 * next, Lanes.ORDER);
            VectorMask<Float> k4 = v4.compare(GT, v3);
            v3 = v3.blend(v4, k4);
            FloatVector n3 = FloatVector.broadcast(Lanes.F, 3f).blend(4f, k4);
            VectorMask<Float> k5 = v5.compare(GT, v3);
            v3 = v3.blend(v5, k5);
            n3 = n3.blend(5f, k5);
            FloatVector v6 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below, Lanes.ORDER);
            FloatVector v7 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + next, Lanes.ORDER);
            FloatVector v8 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + 2 * next, Lanes.ORDER);
            all = v8.fma(zero, all);
            VectorMask<Float> k7 = v7.compare(GT, v6);
            v6 = v6.blend(v7, k7);
            FloatVector n6 = FloatVector.broadcast(Lanes.F, 6f).blend(7f, k7);
            VectorMask<Float> k8 = v8.compare(GT, v6);
            v6 = v6.blend(v8, k8);
            n6 = n6.blend(8f, k8);
            VectorMask<Float> k3 = v3.compare(GT, v0);
            v0 = v0.blend(v3, k3);
            n0 = n0.blend(n3, k3);
            VectorMask<Float> k6 = v6.compare(GT, v0);
            FloatVector t2 = n0.blend(n6, k6);
            long t = tap + at & Lanes.ADDRESS;
            FloatVector t0 = FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER);
            FloatVector t1 = FloatVector.fromMemorySegment(Lanes.F, ALL, t + next, Lanes.ORDER);
            t2.intoMemorySegment(ALL, t + 2 * next, Lanes.ORDER);
            long g = dy + at & Lanes.ADDRESS;
            FloatVector g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER);
            FloatVector g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER);
            FloatVector g2 = FloatVector.fromMemorySegment(Lanes.F, ALL, g + 2 * next, Lanes.ORDER);
            long d = dx + at & Lanes.ADDRESS;
            FloatVector.fromMemorySegment(Lanes.F, ALL, d, Lanes.ORDER)
                    .add(g0, t0.compare(EQ, 2f))
                    .add(g1, t1.compare(EQ, 1f))
                    .add(g2, t2.compare(EQ, 0f))
                    .intoMemorySegment(ALL, d, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, d + below, Lanes.ORDER)
                    .add(g0, t0.compare(EQ, 5f))
                    .add(g1, t1.compare(EQ, 4f))
                    .add(g2, t2.compare(EQ, 3f))
                    .intoMemorySegment(ALL, d + below, Lanes.ORDER);
            zero.add(g0, t0.compare(EQ, 8f))
                    .add(g1, t1.compare(EQ, 7f))
                    .add(g2, t2.compare(EQ, 6f))
                    .intoMemorySegment(ALL, d + 2 * below, Lanes.ORDER);
        }
        return !all.compare(NE, all).anyTrue();
    }

    /**
     * The pixels of other columns; their windows must be found.
     *
     * @param q windows of a row
     */
    void columns(int from, int end, PoolGeometry geometry, int q) {
        for (int column = from; column < end; column++) {
            int window = geometry.firstWindowOfColumn(column);
            int count = geometry.endWindowOfColumn(column, q) - window;
            pixels(column, window, count, column + geometry.paddingW() - window);
        }
    }

    /**
     * @param window the first that reaches into the column
     * @param count of such windows
     * @param number of the first one's tap in the first image row
     */
    private void pixels(int column, int window, int count, int number) {
        long at = 4L * window * c;
        pixels(dx + 4L * column * c, rowBytes, tap + at, dy + at, count, number, c);
    }

    private static void pixels(long dx, long rowBytes, long tap, long dy, int count, int number, int c) {
        for (int channel = 0; channel < c; channel += Lanes.FLOATS) {
            long at = 4L * channel;
            FloatVector s0 = FloatVector.fromMemorySegment(Lanes.F, ALL, dx + at, Lanes.ORDER);
            FloatVector s1 = FloatVector.fromMemorySegment(Lanes.F, ALL, dx + rowBytes + at, Lanes.ORDER);
            FloatVector s2 = FloatVector.zero(Lanes.F);
            for (int k = 0; k < count; k++) {
                long window = at + 4L * k * c;
                FloatVector t = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + window, Lanes.ORDER);
                FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + window, Lanes.ORDER);
                s0 = s0.add(g, t.compare(EQ, (float) (number - k)));
                s1 = s1.add(g, t.compare(EQ, (float) (number + 3 - k)));
                s2 = s2.add(g, t.compare(EQ, (float) (number + 6 - k)));
            }
            s0.intoMemorySegment(ALL, dx + at, Lanes.ORDER);
            s1.intoMemorySegment(ALL, dx + rowBytes + at, Lanes.ORDER);
            s2.intoMemorySegment(ALL, dx + 2 * rowBytes + at, Lanes.ORDER);
        }
    }
}
