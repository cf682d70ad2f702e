package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** The passes over a row that softmax and its losses are made of, and the rows made of them. */
final class SoftmaxRow {
    private static final float LOWEST = Float.NEGATIVE_INFINITY;

    /** Elements of a row of which the nearest cache holds two. */
    static final int LONG = 1 << 12;

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

    /**
     * The probabilities of rows that follow each other without gaps.
     *
     * @param sums where for each row the sum of its exponentials and its maximum go, in turn, or 0
     * @param past whether y passes by the caches, where machine code can
     * @param scratch of {@link #scratchBytes}
     */
    static void rows(long x, long y, int rows, int n, boolean past, long sums, long scratch) {
        if (SoftmaxCode.takes(n)) {
            SoftmaxCode.run(x, y, rows, n, past, sums, scratch);
            return;
        }
        if (Rows.MASKS && n <= Lanes.FLOATS) {
            narrow(x, y, rows, n, sums);
            return;
        }
        float max = max(x, n);
        for (int r = 0; r < rows; r++) {
            long row = x + 4L * r * n, next = r + 1 < rows ? row + 4L * n : row, to = y + 4L * r * n;
            long e = exponentials(to, n, scratch);
            float sum = exponentials(row, e, n, max, next, scratch);
            keep(sums, r, sum, max);
            max = max(scratch, next, n);
            scale(e, to, n, 1 / sum);
        }
    }

    /** The same of rows that fit a vector, without a call for each. */
    private static void narrow(long x, long y, int rows, int n, long sums) {
        VectorMask<Float> lanes = Lanes.F.indexInRange(0, n);
        FloatVector lowest = FloatVector.broadcast(Lanes.F, LOWEST);
        for (int r = 0; r < rows; r++) {
            long at = 4L * r * n;
            FloatVector row = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER, lanes);
            FloatVector known = lowest.blend(row, row.compare(VectorOperators.GT, lowest, lanes));
            float max = Rows.max(known);
            FloatVector e = VectorMath.exp(row.sub(max));
            float sum = Rows.sum(FloatVector.zero(Lanes.F).blend(e, lanes));
            keep(sums, r, sum, max);
            e.mul(1 / sum).intoMemorySegment(ALL, y + at, Lanes.ORDER, lanes);
        }
    }

    private static void keep(long sums, int row, float sum, float max) {
        if (sums != 0) {
            Rows.set(sums + 8L * row, sum);
            Rows.set(sums + 8L * row + Float.BYTES, max);
        }
    }

    /**
     * What a row's probabilities are computed in: y itself where its vectors would not straddle cache lines, or where a
     * row is so long that the nearest cache would not hold it twice; else the scratch.
     *
     * @param scratch of {@link #scratchBytes}
     */
    static long exponentials(long y, int n, long scratch) {
        return y % Lanes.BYTES == 0 || n > LONG ? y : scratch + Lanes.BYTES;
    }

    static long scratchBytes(int n) {
        return Lanes.BYTES + (n > LONG && !SoftmaxCode.takes(n) ? 0 : 4L * n);
    }

    /**
     * Writes exp(x_i - max) of n elements to e and returns their sum. On the way it takes the maximum of each lane of the
     * next row to {@code lanes}, so that memory is read while the exponentials are computed.
     *
     * @param next a row like x, or x itself
     */
    static float exponentials(long x, long e, int n, float max, long next, long lanes) {
        int full = Rows.full(n);
        float sum = fullVectors(x, e, full, max, next, lanes);
        if (full < n) {
            long at = 4L * full;
            sum += Rows.MASKS ? maskedVector(x + at, e + at, n - full, max) : elements(x + at, e + at, n - full, max);
        }
        return sum;
    }

    /** The maximum of a row whose lanes {@link #exponentials} has taken. */
    static float max(long lanes, long x, int n) {
        int i = Rows.full(n);
        FloatVector m = FloatVector.fromMemorySegment(Lanes.F, ALL, lanes, Lanes.ORDER);
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Rows.tail(n);
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER, tail);
            return Rows.max(m.blend(rest, rest.compare(VectorOperators.GT, m, tail)));
        }
        float max = Rows.max(m);
        for (; i < n; i++) {
            float value = Rows.get(x + 4L * i);
            max = value > max ? value : max;
        }
        return max;
    }

    // Methods of their own: with two exponentials in one, C2 gives up inlining, now the one and now the other.

    private static float fullVectors(long x, long y, int n, float max, long next, long lanes) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        FloatVector top = FloatVector.broadcast(Lanes.F, LOWEST);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            top = Rows.larger(top, FloatVector.fromMemorySegment(Lanes.F, ALL, next + 4L * i, Lanes.ORDER));
            FloatVector e = VectorMath.exp(FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER)
                    .sub(max));
            e.intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
            sum = sum.add(e);
        }
        top.intoMemorySegment(ALL, lanes, Lanes.ORDER);
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

    /** y = factor e; from the first cache line of y on in whole ones. */
    static void scale(long e, long y, int n, float factor) {
        int i = 0;
        if (Rows.MASKS && y % Lanes.BYTES != 0) {
            i = Math.min(n, (int) (-y & Lanes.BYTES - 1) / Float.BYTES);
            VectorMask<Float> head = Lanes.F.indexInRange(0, i);
            FloatVector.fromMemorySegment(Lanes.F, ALL, e, Lanes.ORDER, head)
                    .mul(factor)
                    .intoMemorySegment(ALL, y, Lanes.ORDER, head);
        }
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, e + 4L * i, Lanes.ORDER)
                    .mul(factor)
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Lanes.F.indexInRange(0, n - i);
            FloatVector.fromMemorySegment(Lanes.F, ALL, e + 4L * i, Lanes.ORDER, tail)
                    .mul(factor)
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER, tail);
        }
        for (; !Rows.MASKS && i < n; i++) {
            Rows.set(y + 4L * i, Rows.get(e + 4L * i) * factor);
        }
    }
}
