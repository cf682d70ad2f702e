package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** The passes over one row that softmax and its losses are made of. */
final class SoftmaxRow {
    private static final float LOWEST = Float.NEGATIVE_INFINITY;

    private SoftmaxRow() {}

    /** The largest of n elements; NaN only if there is nothing else. */
    static float max(long x, int n) {
        FloatVector m0 = FloatVector.broadcast(Lanes.F, LOWEST);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        int i = 0;
        for (; i <= n - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            long at = x + 4L * i;
            m0 = Rows.larger(m0, FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
            m1 = Rows.larger(m1, FloatVector.fromMemorySegment(Lanes.F, ALL, at + Lanes.BYTES, Lanes.ORDER));
            m2 = Rows.larger(m2, FloatVector.fromMemorySegment(Lanes.F, ALL, at + 2L * Lanes.BYTES, Lanes.ORDER));
            m3 = Rows.larger(m3, FloatVector.fromMemorySegment(Lanes.F, ALL, at + 3L * Lanes.BYTES, Lanes.ORDER));
        }
        m0 = Rows.larger(Rows.larger(m0, m1), Rows.larger(m2, m3));
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            m0 = Rows.larger(m0, FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER));
        }
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Rows.tail(n);
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER, tail);
            return Rows.max(m0.blend(rest, rest.compare(VectorOperators.GT, m0, tail)));
        }
        float max = Rows.max(m0);
        for (; i < n; i++) {
            float value = Rows.get(x + 4L * i);
            max = value > max ? value : max;
        }
        return max;
    }

    /** Writes the probabilities of n elements to y, which may be x, and returns sum_i exp(x_i - max). */
    static float probabilities(long x, long y, int n, float max) {
        return Rows.MASKS && n <= Lanes.FLOATS ? inOneVector(x, y, n, max) : inTwoPasses(x, y, n, max);
    }

    private static float inOneVector(long x, long y, int n, float max) {
        VectorMask<Float> lanes = Lanes.F.indexInRange(0, n);
        FloatVector e = VectorMath.exp(
                FloatVector.fromMemorySegment(Lanes.F, ALL, x, Lanes.ORDER, lanes).sub(max));
        float sum = Rows.sum(FloatVector.zero(Lanes.F).blend(e, lanes));
        e.mul(1 / sum).intoMemorySegment(ALL, y, Lanes.ORDER, lanes);
        return sum;
    }

    private static float inTwoPasses(long x, long y, int n, float max) {
        FloatVector sums = FloatVector.zero(Lanes.F);
        int full = Rows.full(n);
        for (int i = 0; i < full; i += Lanes.FLOATS) {
            FloatVector e = VectorMath.exp(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER)
                            .sub(max));
            e.intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
            sums = sums.add(e);
        }
        if (Rows.MASKS && full < n) {
            VectorMask<Float> tail = Rows.tail(n);
            FloatVector e = VectorMath.exp(
                    FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * full, Lanes.ORDER, tail)
                            .sub(max));
            e.intoMemorySegment(ALL, y + 4L * full, Lanes.ORDER, tail);
            sums = sums.blend(sums.add(e), tail);
        }
        float sum = Rows.sum(sums);
        for (int i = full; !Rows.MASKS && i < n; i++) {
            float e = ScalarMath.exp(Rows.get(x + 4L * i) - max);
            Rows.set(y + 4L * i, e);
            sum += e;
        }
        scale(y, n, 1 / sum);
        return sum;
    }

    /** y = factor y. */
    private static void scale(long y, int n, float factor) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, y + 4L * i, Lanes.ORDER)
                    .mul(factor)
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Rows.tail(n);
            FloatVector.fromMemorySegment(Lanes.F, ALL, y + 4L * i, Lanes.ORDER, tail)
                    .mul(factor)
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER, tail);
        }
        for (; !Rows.MASKS && i < n; i++) {
            Rows.set(y + 4L * i, Rows.get(y + 4L * i) * factor);
        }
    }
}
