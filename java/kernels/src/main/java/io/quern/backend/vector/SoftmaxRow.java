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
        FloatVector e = VectorMath.exp(FloatVector.fromMemorySegment(Lanes.F, ALL, x, Lanes.ORDER, lanes)
                .sub(max));
        float sum = Rows.sum(FloatVector.zero(Lanes.F).blend(e, lanes));
        e.mul(1 / sum).intoMemorySegment(ALL, y, Lanes.ORDER, lanes);
        return sum;
    }

    private static float inTwoPasses(long x, long y, int n, float max) {
        int full = Rows.full(n);
        float sum = fullVectors(x, y, full, max);
        if (full < n) {
            long at = 4L * full;
            sum += Rows.MASKS ? maskedVector(x + at, y + at, n - full, max) : elements(x + at, y + at, n - full, max);
        }
        scale(y, n, 1 / sum);
        return sum;
    }

    // Methods of their own: with two exponentials in one, C2 gives up inlining, now the one and now the other.

    private static float fullVectors(long x, long y, int n, float max) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector e = VectorMath.exp(FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER)
                    .sub(max));
            e.intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
            sum = sum.add(e);
        }
        return Rows.sum(sum);
    }

    private static float maskedVector(long x, long y, int n, float max) {
        VectorMask<Float> lanes = Lanes.F.indexInRange(0, n);
        FloatVector e = VectorMath.exp(FloatVector.fromMemorySegment(Lanes.F, ALL, x, Lanes.ORDER, lanes)
                .sub(max));
        e.intoMemorySegment(ALL, y, Lanes.ORDER, lanes);
        return Rows.sum(FloatVector.zero(Lanes.F).blend(e, lanes));
    }

    private static float elements(long x, long y, int n, float max) {
        float sum = 0;
        for (int i = 0; i < n; i++) {
            float e = ScalarMath.exp(Rows.get(x + 4L * i) - max);
            Rows.set(y + 4L * i, e);
            sum += e;
        }
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
