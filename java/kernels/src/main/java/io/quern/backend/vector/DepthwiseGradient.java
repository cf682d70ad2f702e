package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradient of a depthwise 3x3 convolution by its filter for one vector of channels, the sums in registers. Sources lie
 * {@code tap} bytes apart, rows of them {@code row}.
 */
final class DepthwiseGradient {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseGradient() {}

    /**
     * Adds to the nine taps at {@code sum} what {@code rows} rows of {@code count} pixels of dy give.
     *
     * @param down bytes from the sources of one row to those of the next
     * @param signalDown bytes from one row of dy to the next
     */
    static void gradient(
            long x,
            long tap,
            long row,
            long next,
            long down,
            long signal,
            long pixel,
            long signalDown,
            int rows,
            int count,
            long sum) {
        int fours = next == tap ? count / 4 : 0;
        if (fours > 0) {
            gradientFours(x, tap, row, down, signal, pixel, signalDown, rows, fours, sum);
        }
        if (count > 4 * fours) {
            long at = x + 4L * fours * tap, dy = signal + 4L * fours * pixel;
            gradientEach(at, tap, row, next, down, dy, pixel, signalDown, rows, count - 4 * fours, sum);
        }
    }

    /**
     * As {@link #gradient} with sources side by side, four pixels of dy at a time, every other one into sums
     * of its own: a single chain per tap would be longer than the work of the others.
     */
    private static void gradientFours(
            long x,
            long tap,
            long row,
            long down,
            long signal,
            long pixel,
            long signalDown,
            int rows,
            int fours,
            long sum) {
        row &= STRIDE;
        tap &= STRIDE;
        pixel &= STRIDE;
        sum &= ADDRESS;
        FloatVector k0 = FloatVector.fromMemorySegment(S, ALL, sum, ORDER);
        FloatVector k1 = FloatVector.fromMemorySegment(S, ALL, sum + BYTES, ORDER);
        FloatVector k2 = FloatVector.fromMemorySegment(S, ALL, sum + 2 * BYTES, ORDER);
        FloatVector k3 = FloatVector.fromMemorySegment(S, ALL, sum + 3 * BYTES, ORDER);
        FloatVector k4 = FloatVector.fromMemorySegment(S, ALL, sum + 4 * BYTES, ORDER);
        FloatVector k5 = FloatVector.fromMemorySegment(S, ALL, sum + 5 * BYTES, ORDER);
        FloatVector k6 = FloatVector.fromMemorySegment(S, ALL, sum + 6 * BYTES, ORDER);
        FloatVector k7 = FloatVector.fromMemorySegment(S, ALL, sum + 7 * BYTES, ORDER);
        FloatVector k8 = FloatVector.fromMemorySegment(S, ALL, sum + 8 * BYTES, ORDER);
        FloatVector m0 = FloatVector.zero(S);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        FloatVector m4 = m0;
        FloatVector m5 = m0;
        FloatVector m6 = m0;
        FloatVector m7 = m0;
        FloatVector m8 = m0;
        for (int p = 0, one = step; p < rows; p += one) {
            long from = x, dy = signal;
            for (int q = 0; q < fours; q += one) {
                from &= ADDRESS;
                dy &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, dy, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, dy + pixel, ORDER);
                FloatVector y2 = FloatVector.fromMemorySegment(S, ALL, dy + 2 * pixel, ORDER);
                FloatVector y3 = FloatVector.fromMemorySegment(S, ALL, dy + 3 * pixel, ORDER);
                FloatVector s;
                s = FloatVector.fromMemorySegment(S, ALL, from, ORDER);
                k0 = s.fma(y0, k0);
                s = FloatVector.fromMemorySegment(S, ALL, from + tap, ORDER);
                k1 = s.fma(y0, k1);
                m0 = s.fma(y1, m0);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * tap, ORDER);
                k2 = s.fma(y0, k2);
                m1 = s.fma(y1, m1);
                k0 = s.fma(y2, k0);
                s = FloatVector.fromMemorySegment(S, ALL, from + 3 * tap, ORDER);
                m2 = s.fma(y1, m2);
                k1 = s.fma(y2, k1);
                m0 = s.fma(y3, m0);
                s = FloatVector.fromMemorySegment(S, ALL, from + 4 * tap, ORDER);
                k2 = s.fma(y2, k2);
                m1 = s.fma(y3, m1);
                s = FloatVector.fromMemorySegment(S, ALL, from + 5 * tap, ORDER);
                m2 = s.fma(y3, m2);
                s = FloatVector.fromMemorySegment(S, ALL, from + row, ORDER);
                k3 = s.fma(y0, k3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + tap, ORDER);
                k4 = s.fma(y0, k4);
                m3 = s.fma(y1, m3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 2 * tap, ORDER);
                k5 = s.fma(y0, k5);
                m4 = s.fma(y1, m4);
                k3 = s.fma(y2, k3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 3 * tap, ORDER);
                m5 = s.fma(y1, m5);
                k4 = s.fma(y2, k4);
                m3 = s.fma(y3, m3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 4 * tap, ORDER);
                k5 = s.fma(y2, k5);
                m4 = s.fma(y3, m4);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 5 * tap, ORDER);
                m5 = s.fma(y3, m5);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row, ORDER);
                k6 = s.fma(y0, k6);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + tap, ORDER);
                k7 = s.fma(y0, k7);
                m6 = s.fma(y1, m6);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 2 * tap, ORDER);
                k8 = s.fma(y0, k8);
                m7 = s.fma(y1, m7);
                k6 = s.fma(y2, k6);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 3 * tap, ORDER);
                m8 = s.fma(y1, m8);
                k7 = s.fma(y2, k7);
                m6 = s.fma(y3, m6);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 4 * tap, ORDER);
                k8 = s.fma(y2, k8);
                m7 = s.fma(y3, m7);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 5 * tap, ORDER);
                m8 = s.fma(y3, m8);
                from += 4 * tap;
                dy += 4 * pixel;
            }
            x += down;
            signal += signalDown;
        }
        k0.add(m0).intoMemorySegment(ALL, sum, ORDER);
        k1.add(m1).intoMemorySegment(ALL, sum + BYTES, ORDER);
        k2.add(m2).intoMemorySegment(ALL, sum + 2 * BYTES, ORDER);
        k3.add(m3).intoMemorySegment(ALL, sum + 3 * BYTES, ORDER);
        k4.add(m4).intoMemorySegment(ALL, sum + 4 * BYTES, ORDER);
        k5.add(m5).intoMemorySegment(ALL, sum + 5 * BYTES, ORDER);
        k6.add(m6).intoMemorySegment(ALL, sum + 6 * BYTES, ORDER);
        k7.add(m7).intoMemorySegment(ALL, sum + 7 * BYTES, ORDER);
        k8.add(m8).intoMemorySegment(ALL, sum + 8 * BYTES, ORDER);
    }

    private static void gradientEach(
            long x,
            long tap,
            long row,
            long next,
            long down,
            long signal,
            long pixel,
            long signalDown,
            int rows,
            int count,
            long sum) {
        row &= STRIDE;
        tap &= STRIDE;
        sum &= ADDRESS;
        FloatVector k0 = FloatVector.fromMemorySegment(S, ALL, sum, ORDER);
        FloatVector k1 = FloatVector.fromMemorySegment(S, ALL, sum + BYTES, ORDER);
        FloatVector k2 = FloatVector.fromMemorySegment(S, ALL, sum + 2 * BYTES, ORDER);
        FloatVector k3 = FloatVector.fromMemorySegment(S, ALL, sum + 3 * BYTES, ORDER);
        FloatVector k4 = FloatVector.fromMemorySegment(S, ALL, sum + 4 * BYTES, ORDER);
        FloatVector k5 = FloatVector.fromMemorySegment(S, ALL, sum + 5 * BYTES, ORDER);
        FloatVector k6 = FloatVector.fromMemorySegment(S, ALL, sum + 6 * BYTES, ORDER);
        FloatVector k7 = FloatVector.fromMemorySegment(S, ALL, sum + 7 * BYTES, ORDER);
        FloatVector k8 = FloatVector.fromMemorySegment(S, ALL, sum + 8 * BYTES, ORDER);
        for (int p = 0, one = step; p < rows; p += one) {
            long from = x, dy = signal;
            for (int q = 0; q < count; q += one) {
                from &= ADDRESS;
                dy &= ADDRESS;
                FloatVector y = FloatVector.fromMemorySegment(S, ALL, dy, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, from, ORDER).fma(y, k0);
                k1 = FloatVector.fromMemorySegment(S, ALL, from + tap, ORDER).fma(y, k1);
                k2 = FloatVector.fromMemorySegment(S, ALL, from + 2 * tap, ORDER)
                        .fma(y, k2);
                k3 = FloatVector.fromMemorySegment(S, ALL, from + row, ORDER).fma(y, k3);
                k4 = FloatVector.fromMemorySegment(S, ALL, from + row + tap, ORDER)
                        .fma(y, k4);
                k5 = FloatVector.fromMemorySegment(S, ALL, from + row + 2 * tap, ORDER)
                        .fma(y, k5);
                k6 = FloatVector.fromMemorySegment(S, ALL, from + 2 * row, ORDER)
                        .fma(y, k6);
                k7 = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + tap, ORDER)
                        .fma(y, k7);
                k8 = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 2 * tap, ORDER)
                        .fma(y, k8);
                from += next;
                dy += pixel;
            }
            x += down;
            signal += signalDown;
        }
        k0.intoMemorySegment(ALL, sum, ORDER);
        k1.intoMemorySegment(ALL, sum + BYTES, ORDER);
        k2.intoMemorySegment(ALL, sum + 2 * BYTES, ORDER);
        k3.intoMemorySegment(ALL, sum + 3 * BYTES, ORDER);
        k4.intoMemorySegment(ALL, sum + 4 * BYTES, ORDER);
        k5.intoMemorySegment(ALL, sum + 5 * BYTES, ORDER);
        k6.intoMemorySegment(ALL, sum + 6 * BYTES, ORDER);
        k7.intoMemorySegment(ALL, sum + 7 * BYTES, ORDER);
        k8.intoMemorySegment(ALL, sum + 8 * BYTES, ORDER);
    }
}
