package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Depthwise 3x3 kernels for one vector of channels, whose sources lie in a slab: pixel beside pixel, rows {@code row} bytes
 * apart, zeros where the image ends. Filters are nine vectors in the order of taps. Results lie {@code pixel} bytes apart.
 *
 * <p>Each result is one chain in the order of taps.
 */
final class DepthwiseKernels {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseKernels() {}

    /**
     * A row of {@code count} results, whose sources are {@code next} bytes apart.
     *
     * @param bias one vector, added first
     * @param floor bits of what smaller results become
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

    /** As {@link #correlate} with sources side by side, four results at a time: a source is read once for three of them. */
    static void correlateFours(
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

    /**
     * As {@link #gradient} with sources side by side, four pixels of dy at a time, every other one into sums
     * of its own: a single chain per tap would be longer than the work of the others.
     */
    static void gradientFours(
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

    /**
     * The gradient by the image of stride 2, two rows of it, in {@code count} blocks of 2x2: the first pixel meets the
     * middle tap only, the second of a row and the first of the next two taps, the last four.
     *
     * @param y the pixels of dy that the blocks' first pixels meet
     * @param to0 the first pixel of the upper row, {@code pixel0} bytes from the next
     * @param to1 that of the lower row
     */
    static void spread(long y, long row, long filter, int count, long to0, long pixel0, long to1, long pixel1) {
        row &= STRIDE;
        pixel0 &= STRIDE;
        pixel1 &= STRIDE;
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
        for (int i = 0, one = step; i < count; i += one) {
            y &= ADDRESS;
            to0 &= ADDRESS;
            to1 &= ADDRESS;
            FloatVector a = FloatVector.fromMemorySegment(S, ALL, y, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(S, ALL, y + BYTES, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(S, ALL, y + row, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(S, ALL, y + row + BYTES, ORDER);
            a.mul(k4).intoMemorySegment(ALL, to0, ORDER);
            b.fma(k3, a.mul(k5)).intoMemorySegment(ALL, to0 + pixel0, ORDER);
            c.fma(k1, a.mul(k7)).intoMemorySegment(ALL, to1, ORDER);
            d.fma(k0, c.fma(k2, b.fma(k6, a.mul(k8)))).intoMemorySegment(ALL, to1 + pixel1, ORDER);
            y += BYTES;
            to0 += 2 * pixel0;
            to1 += 2 * pixel1;
        }
    }

    /**
     * Copies {@code rows} rows of {@code count} pixels of some vectors to the slabs of these vectors, {@code slab} bytes apart.
     *
     * @param pixel bytes from one pixel to the next, {@code line} from one row to the next
     * @param row bytes from one row of a slab to the next
     */
    static void gather(
            long from, long pixel, long line, int rows, int count, int vectors, long to, long row, long slab) {
        if (vectors == 4) {
            gatherFour(from, pixel, line, rows, count, to, row, slab);
            return;
        }
        for (int v = 0; v < vectors; v++) {
            gatherOne(from + (long) v * BYTES, pixel, line, rows, count, to + v * slab, row);
        }
    }

    private static void gatherFour(
            long from, long pixel, long line, int rows, int count, long to, long row, long slab) {
        slab &= STRIDE;
        for (int y = 0, one = step; y < rows; y += one) {
            long source = from, target = to;
            for (int i = 0; i < count; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector a = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector b = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector c = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                a.intoMemorySegment(ALL, target, ORDER);
                b.intoMemorySegment(ALL, target + slab, ORDER);
                c.intoMemorySegment(ALL, target + 2 * slab, ORDER);
                d.intoMemorySegment(ALL, target + 3 * slab, ORDER);
                source += pixel;
                target += BYTES;
            }
            from += line;
            to += row;
        }
    }

    private static void gatherOne(long from, long pixel, long line, int rows, int count, long to, long row) {
        for (int y = 0, one = step; y < rows; y += one) {
            long source = from, target = to;
            for (int i = 0; i < count; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector.fromMemorySegment(S, ALL, source, ORDER).intoMemorySegment(ALL, target, ORDER);
                source += pixel;
                target += BYTES;
            }
            from += line;
            to += row;
        }
    }

    /** Zeroes {@code count} pixels of each of {@code rows} rows of a slab. */
    static void zero(long to, long row, int rows, int count) {
        FloatVector zero = FloatVector.zero(S);
        for (int y = 0, one = step; y < rows; y += one) {
            long at = to;
            for (int i = 0; i < count; i += one) {
                at &= ADDRESS;
                zero.intoMemorySegment(ALL, at, ORDER);
                at += BYTES;
            }
            to += row;
        }
    }

    /** Nine rows of {@code tap} bytes as nine vectors per vector of channels. */
    static void pack(long filter, long tap, int vectors, long to) {
        for (int v = 0; v < vectors; v++) {
            for (int i = 0; i < 9; i++, to += BYTES) {
                Copies.copy(filter + i * tap + (long) v * BYTES, to, BYTES);
            }
        }
    }

    /** The reverse of {@link #pack}. */
    static void unpack(long from, int vectors, long filter, long tap) {
        for (int v = 0; v < vectors; v++) {
            for (int i = 0; i < 9; i++, from += BYTES) {
                Copies.copy(from, filter + i * tap + (long) v * BYTES, BYTES);
            }
        }
    }
}
