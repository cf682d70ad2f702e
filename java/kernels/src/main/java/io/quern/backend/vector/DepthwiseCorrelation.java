package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * A depthwise 3x3 correlation for one vector of channels, its filter in registers. Sources lie {@code tap} bytes apart, rows
 * of them {@code row}; filters are nine vectors in the order of taps. Each result is one chain in that order.
 */
final class DepthwiseCorrelation {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseCorrelation() {}

    /**
     * {@code rows} rows of {@code count} results.
     *
     * @param next bytes from the sources of one result to those of the next, {@code down} to those of the next row
     * @param bias one vector, added first
     * @param floor bits of what smaller results become
     * @param pixel bytes from one result to the next, {@code toDown} from one row of them to the next
     */
    static void correlate(
            long x,
            long tap,
            long row,
            long next,
            long down,
            long filter,
            long bias,
            int floor,
            int rows,
            int count,
            long to,
            long pixel,
            long toDown) {
        int fours = next == tap ? count / 4 : 0;
        if (fours > 0) {
            correlateFours(x, tap, row, down, filter, bias, floor, rows, fours, to, pixel, toDown);
        }
        if (count > 4 * fours) {
            long from = x + 4L * fours * tap, at = to + 4L * fours * pixel;
            correlateEach(from, tap, row, next, down, filter, bias, floor, rows, count - 4 * fours, at, pixel, toDown);
        }
    }

    /** As {@link #correlate} with sources side by side, four results at a time: a source is read once for three of them. */
    private static void correlateFours(
            long x,
            long tap,
            long row,
            long down,
            long filter,
            long bias,
            int floor,
            int rows,
            int fours,
            long to,
            long pixel,
            long toDown) {
        row &= STRIDE;
        tap &= STRIDE;
        pixel &= STRIDE;
        filter &= ADDRESS;
        FloatVector k0 = FloatVector.fromMemorySegment(S, ALL, filter, ORDER);
        FloatVector k1 = FloatVector.fromMemorySegment(S, ALL, filter + BYTES, ORDER);
        FloatVector k2 = FloatVector.fromMemorySegment(S, ALL, filter + 2 * BYTES, ORDER);
        FloatVector k3 = FloatVector.fromMemorySegment(S, ALL, filter + 3 * BYTES, ORDER);
        FloatVector k4 = FloatVector.fromMemorySegment(S, ALL, filter + 4 * BYTES, ORDER);
        FloatVector k5 = FloatVector.fromMemorySegment(S, ALL, filter + 5 * BYTES, ORDER);
        FloatVector k6 = FloatVector.fromMemorySegment(S, ALL, filter + 6 * BYTES, ORDER);
        FloatVector k7 = FloatVector.fromMemorySegment(S, ALL, filter + 7 * BYTES, ORDER);
        FloatVector k8 = FloatVector.fromMemorySegment(S, ALL, filter + 8 * BYTES, ORDER);
        FloatVector shift = FloatVector.fromMemorySegment(S, ALL, bias & ADDRESS, ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        for (int p = 0, one = step; p < rows; p += one) {
            long from = x, at = to;
            for (int i = 0; i < fours; i += one) {
                from &= ADDRESS;
                at &= ADDRESS;
                FloatVector s;
                s = FloatVector.fromMemorySegment(S, ALL, from, ORDER);
                FloatVector y0 = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, from + tap, ORDER);
                y0 = s.fma(k1, y0);
                FloatVector y1 = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * tap, ORDER);
                y0 = s.fma(k2, y0);
                y1 = s.fma(k1, y1);
                FloatVector y2 = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, from + 3 * tap, ORDER);
                y1 = s.fma(k2, y1);
                y2 = s.fma(k1, y2);
                FloatVector y3 = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, from + 4 * tap, ORDER);
                y2 = s.fma(k2, y2);
                y3 = s.fma(k1, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + 5 * tap, ORDER);
                y3 = s.fma(k2, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row, ORDER);
                y0 = s.fma(k3, y0);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + tap, ORDER);
                y0 = s.fma(k4, y0);
                y1 = s.fma(k3, y1);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 2 * tap, ORDER);
                y0 = s.fma(k5, y0);
                y1 = s.fma(k4, y1);
                y2 = s.fma(k3, y2);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 3 * tap, ORDER);
                y1 = s.fma(k5, y1);
                y2 = s.fma(k4, y2);
                y3 = s.fma(k3, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 4 * tap, ORDER);
                y2 = s.fma(k5, y2);
                y3 = s.fma(k4, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + row + 5 * tap, ORDER);
                y3 = s.fma(k5, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row, ORDER);
                y0 = s.fma(k6, y0);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + tap, ORDER);
                y0 = s.fma(k7, y0);
                y1 = s.fma(k6, y1);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 2 * tap, ORDER);
                y0 = s.fma(k8, y0);
                y1 = s.fma(k7, y1);
                y2 = s.fma(k6, y2);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 3 * tap, ORDER);
                y1 = s.fma(k8, y1);
                y2 = s.fma(k7, y2);
                y3 = s.fma(k6, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 4 * tap, ORDER);
                y2 = s.fma(k8, y2);
                y3 = s.fma(k7, y3);
                s = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 5 * tap, ORDER);
                y3 = s.fma(k8, y3);
                y0.blend(low, y0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, at, ORDER);
                y1.blend(low, y1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, at + pixel, ORDER);
                y2.blend(low, y2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, at + 2 * pixel, ORDER);
                y3.blend(low, y3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, at + 3 * pixel, ORDER);
                from += 4 * tap;
                at += 4 * pixel;
            }
            x += down;
            to += toDown;
        }
    }

    private static void correlateEach(
            long x,
            long tap,
            long row,
            long next,
            long down,
            long filter,
            long bias,
            int floor,
            int rows,
            int count,
            long to,
            long pixel,
            long toDown) {
        row &= STRIDE;
        tap &= STRIDE;
        filter &= ADDRESS;
        FloatVector k0 = FloatVector.fromMemorySegment(S, ALL, filter, ORDER);
        FloatVector k1 = FloatVector.fromMemorySegment(S, ALL, filter + BYTES, ORDER);
        FloatVector k2 = FloatVector.fromMemorySegment(S, ALL, filter + 2 * BYTES, ORDER);
        FloatVector k3 = FloatVector.fromMemorySegment(S, ALL, filter + 3 * BYTES, ORDER);
        FloatVector k4 = FloatVector.fromMemorySegment(S, ALL, filter + 4 * BYTES, ORDER);
        FloatVector k5 = FloatVector.fromMemorySegment(S, ALL, filter + 5 * BYTES, ORDER);
        FloatVector k6 = FloatVector.fromMemorySegment(S, ALL, filter + 6 * BYTES, ORDER);
        FloatVector k7 = FloatVector.fromMemorySegment(S, ALL, filter + 7 * BYTES, ORDER);
        FloatVector k8 = FloatVector.fromMemorySegment(S, ALL, filter + 8 * BYTES, ORDER);
        FloatVector shift = FloatVector.fromMemorySegment(S, ALL, bias & ADDRESS, ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        for (int p = 0, one = step; p < rows; p += one) {
            long from = x, at = to;
            for (int i = 0; i < count; i += one) {
                from &= ADDRESS;
                at &= ADDRESS;
                FloatVector y =
                        FloatVector.fromMemorySegment(S, ALL, from, ORDER).fma(k0, shift);
                y = FloatVector.fromMemorySegment(S, ALL, from + tap, ORDER).fma(k1, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + 2 * tap, ORDER).fma(k2, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + row, ORDER).fma(k3, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + row + tap, ORDER)
                        .fma(k4, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + row + 2 * tap, ORDER)
                        .fma(k5, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + 2 * row, ORDER).fma(k6, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + tap, ORDER)
                        .fma(k7, y);
                y = FloatVector.fromMemorySegment(S, ALL, from + 2 * row + 2 * tap, ORDER)
                        .fma(k8, y);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, at, ORDER);
                from += next;
                at += pixel;
            }
            x += down;
            to += toDown;
        }
    }
}
