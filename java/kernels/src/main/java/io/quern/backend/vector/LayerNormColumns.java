package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import jdk.incubator.vector.FloatVector;

/** What rows of a layer normalization add to the sums of dy h and dy over rows, h = (x - mean) inverse. */
final class LayerNormColumns {
    private LayerNormColumns() {}

    /** One row. */
    static void one(long x, long dy, float mean, float inverse, long dgamma, long dbeta, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(mean)
                    .mul(inverse)
                    .fma(g, FloatVector.fromMemorySegment(Lanes.F, ALL, dgamma + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, dgamma + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dbeta + at, Lanes.ORDER)
                    .add(g)
                    .intoMemorySegment(ALL, dbeta + at, Lanes.ORDER);
        }
        tail(x, dy, mean, inverse, dgamma, dbeta, i, n);
    }

    /** Two rows, so that the sums are read and written half as often. */
    static void two(long x, long dy, long rowBytes, long means, long inverses, long dgamma, long dbeta, int n) {
        float m0 = Rows.get(means);
        float m1 = Rows.get(means + 4);
        float s0 = Rows.get(inverses);
        float s1 = Rows.get(inverses + 4);
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            long next = at + rowBytes;
            FloatVector g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER);
            FloatVector g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + next, Lanes.ORDER);
            FloatVector h0 = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(m0)
                    .mul(s0);
            FloatVector h1 = FloatVector.fromMemorySegment(Lanes.F, ALL, x + next, Lanes.ORDER)
                    .sub(m1)
                    .mul(s1);
            h1.fma(g1, h0.fma(g0, FloatVector.fromMemorySegment(Lanes.F, ALL, dgamma + at, Lanes.ORDER)))
                    .intoMemorySegment(ALL, dgamma + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dbeta + at, Lanes.ORDER)
                    .add(g0)
                    .add(g1)
                    .intoMemorySegment(ALL, dbeta + at, Lanes.ORDER);
        }
        tail(x, dy, m0, s0, dgamma, dbeta, i, n);
        tail(x + rowBytes, dy + rowBytes, m1, s1, dgamma, dbeta, i, n);
    }

    private static void tail(long x, long dy, float mean, float inverse, long dgamma, long dbeta, int from, int n) {
        for (int i = from; i < n; i++) {
            long at = 4L * i;
            float g = Rows.get(dy + at);
            Rows.set(dgamma + at, Math.fma((Rows.get(x + at) - mean) * inverse, g, Rows.get(dgamma + at)));
            Rows.set(dbeta + at, Rows.get(dbeta + at) + g);
        }
    }
}
