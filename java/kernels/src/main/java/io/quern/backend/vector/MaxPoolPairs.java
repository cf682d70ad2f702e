package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.NE;

import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * A row of windows of 3 x 3 with stride 2: one loop finds their taps, as {@link MaxPoolTaps#nine} does, and writes the first
 * two of their three image rows of the gradient, two pixels of each at a time, so that memory is read and written at once.
 * The row of windows above must be found. For channels that are a multiple of a vector.
 *
 * @param x the first of the three image rows
 * @param dx the same row of the gradient
 * @param rowBytes of an image row
 * @param tap of the row of windows; written
 * @param dy its gradients
 * @param tapAbove of the row of windows before, or numbers of no tap
 * @param dyAbove its gradients, or any that can be read
 * @param c channels
 */
record MaxPoolPairs(long x, long dx, long rowBytes, long tap, long dy, long tapAbove, long dyAbove, int c) {
    /**
     * Windows that lie in the image, and the first two of their columns.
     *
     * @param window the first of them; the taps and gradients of the one before are read too
     * @param column the first of this window's image columns
     * @return whether the last two image rows are finite, from the second of these columns to the last window's third; if
     *     not, the results are worth nothing
     */
    boolean windows(int window, int count, int column) {
        long before = 4L * (window - 1) * c;
        long first = 4L * column * c;
        return windows(
                x + first,
                dx + first,
                rowBytes,
                tap + before,
                tapAbove + before,
                dy + before,
                dyAbove + before,
                count * (c / Lanes.FLOATS),
                c);
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
            pixels(column, window, count, column + geometry.paddingW() - 2 * window);
        }
    }

    /**
     * @param window the first that reaches into the column
     * @param count of such windows
     * @param number of the first one's tap in the first image row
     */
    private void pixels(int column, int window, int count, int number) {
        long at = 4L * window * c;
        pixels(dx + 4L * column * c, rowBytes, tap + at, tapAbove + at, dy + at, dyAbove + at, count, number, c);
    }

    /** Gradients and taps begin with the window before the first. */
    private static boolean windows(
            long x, long dx, long rowBytes, long tap, long above, long dy, long dyAbove, int vectors, int c) {
        // not negative, and known not to be: one address serves all
        long next = 4L * c & Integer.MAX_VALUE;
        long below = rowBytes & Lanes.ADDRESS;
        // 0 x is 0 unless x is infinite or NaN
        FloatVector zero = FloatVector.zero(Lanes.F);
        FloatVector a0 = zero;
        FloatVector a1 = zero;
        FloatVector a2 = zero;
        FloatVector a3 = zero;
        long at = x;
        long to = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long r = at & Lanes.ADDRESS;
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
            a0 = v4.fma(zero, a0);
            a1 = v5.fma(zero, a1);
            VectorMask<Float> k4 = v4.compare(GT, v3);
            v3 = v3.blend(v4, k4);
            FloatVector n3 = FloatVector.broadcast(Lanes.F, 3f).blend(4f, k4);
            VectorMask<Float> k5 = v5.compare(GT, v3);
            v3 = v3.blend(v5, k5);
            n3 = n3.blend(5f, k5);
            FloatVector v6 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below, Lanes.ORDER);
            FloatVector v7 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + next, Lanes.ORDER);
            FloatVector v8 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + 2 * next, Lanes.ORDER);
            a2 = v7.fma(zero, a2);
            a3 = v8.fma(zero, a3);
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
            FloatVector t1 = n0.blend(n6, k6);
            long t = tap + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            FloatVector t0 = FloatVector.fromMemorySegment(Lanes.F, ALL, t, Lanes.ORDER);
            t1.intoMemorySegment(ALL, t + next, Lanes.ORDER);
            long u = above + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            FloatVector u0 = FloatVector.fromMemorySegment(Lanes.F, ALL, u, Lanes.ORDER);
            FloatVector u1 = FloatVector.fromMemorySegment(Lanes.F, ALL, u + next, Lanes.ORDER);
            long g = dy + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            FloatVector g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, g, Lanes.ORDER);
            FloatVector g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, g + next, Lanes.ORDER);
            long h = dyAbove + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            FloatVector h0 = FloatVector.fromMemorySegment(Lanes.F, ALL, h, Lanes.ORDER);
            FloatVector h1 = FloatVector.fromMemorySegment(Lanes.F, ALL, h + next, Lanes.ORDER);
            long d = to & Lanes.ADDRESS;
            zero.add(h0, u0.compare(EQ, 8f))
                    .add(h1, u1.compare(EQ, 6f))
                    .add(g0, t0.compare(EQ, 2f))
                    .add(g1, t1.compare(EQ, 0f))
                    .intoMemorySegment(ALL, d, Lanes.ORDER);
            zero.add(h1, u1.compare(EQ, 7f)).add(g1, t1.compare(EQ, 1f)).intoMemorySegment(ALL, d + next, Lanes.ORDER);
            zero.add(g0, t0.compare(EQ, 5f)).add(g1, t1.compare(EQ, 3f)).intoMemorySegment(ALL, d + below, Lanes.ORDER);
            zero.add(g1, t1.compare(EQ, 4f)).intoMemorySegment(ALL, d + below + next, Lanes.ORDER);
            at += Lanes.BYTES;
            to += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += next;
                to += next;
            }
        }
        a0 = a0.add(a1).add(a2.add(a3));
        return !a0.compare(NE, a0).anyTrue();
    }

    private static void pixels(
            long dx, long rowBytes, long tap, long above, long dy, long dyAbove, int count, int number, int c) {
        for (int channel = 0; channel < c; channel += Lanes.FLOATS) {
            long at = 4L * channel;
            FloatVector first = FloatVector.zero(Lanes.F);
            FloatVector second = first;
            for (int k = 0; k < count; k++) {
                long window = at + 4L * k * c;
                first = first.add(
                        FloatVector.fromMemorySegment(Lanes.F, ALL, dyAbove + window, Lanes.ORDER),
                        FloatVector.fromMemorySegment(Lanes.F, ALL, above + window, Lanes.ORDER)
                                .compare(EQ, (float) (number + 6 - 2 * k)));
            }
            for (int k = 0; k < count; k++) {
                long window = at + 4L * k * c;
                FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + window, Lanes.ORDER);
                FloatVector t = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + window, Lanes.ORDER);
                first = first.add(g, t.compare(EQ, (float) (number - 2 * k)));
                second = second.add(g, t.compare(EQ, (float) (number + 3 - 2 * k)));
            }
            first.intoMemorySegment(ALL, dx + at, Lanes.ORDER);
            second.intoMemorySegment(ALL, dx + rowBytes + at, Lanes.ORDER);
        }
    }
}
