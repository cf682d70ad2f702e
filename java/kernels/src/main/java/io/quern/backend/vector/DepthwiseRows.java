// Long because each kernel is a method of its own: accumulators must be local variables for C2 to keep them in
// registers.
package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Depthwise 3x3 kernels along a row of results: some neighbouring pixels at a time, all channels of them in the inner loop,
 * so that memory is read and written in long runs. Pixels lie {@code pixel} bytes apart; the three source rows advance by
 * {@code d0, d1, d2} bytes per step, which is 0 for a row of zeros outside the image. Filters are nine vectors, one per tap,
 * for each vector of channels.
 *
 * <p>The form of the loops is that of {@link ConvTiles}; each result is one chain in the order of taps.
 */
final class DepthwiseRows {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private DepthwiseRows() {}

    /** Four results at a time, stride 1. */
    static void four(
            long r0,
            long r1,
            long r2,
            long d0,
            long d1,
            long d2,
            long pixel,
            long w,
            int steps,
            int vectors,
            long bias,
            int floor,
            long to) {
        pixel &= STRIDE;
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = w, t = to, b = bias;
            for (int v = 0; v < vectors; v += one) {
                x0 &= ADDRESS;
                x1 &= ADDRESS;
                x2 &= ADDRESS;
                k &= ADDRESS;
                t &= ADDRESS;
                b &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
                FloatVector y1 = y0;
                FloatVector y2 = y0;
                FloatVector y3 = y0;
                FloatVector x, k0, k1, k2;
                k0 = FloatVector.fromMemorySegment(S, ALL, k, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel, ORDER);
                y0 = x.fma(k1, y0);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel, ORDER);
                y0 = x.fma(k2, y0);
                y1 = x.fma(k1, y1);
                y2 = x.fma(k0, y2);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 3 * pixel, ORDER);
                y1 = x.fma(k2, y1);
                y2 = x.fma(k1, y2);
                y3 = x.fma(k0, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 4 * pixel, ORDER);
                y2 = x.fma(k2, y2);
                y3 = x.fma(k1, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 5 * pixel, ORDER);
                y3 = x.fma(k2, y3);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel, ORDER);
                y0 = x.fma(k1, y0);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel, ORDER);
                y0 = x.fma(k2, y0);
                y1 = x.fma(k1, y1);
                y2 = x.fma(k0, y2);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 3 * pixel, ORDER);
                y1 = x.fma(k2, y1);
                y2 = x.fma(k1, y2);
                y3 = x.fma(k0, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 4 * pixel, ORDER);
                y2 = x.fma(k2, y2);
                y3 = x.fma(k1, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 5 * pixel, ORDER);
                y3 = x.fma(k2, y3);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel, ORDER);
                y0 = x.fma(k1, y0);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel, ORDER);
                y0 = x.fma(k2, y0);
                y1 = x.fma(k1, y1);
                y2 = x.fma(k0, y2);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 3 * pixel, ORDER);
                y1 = x.fma(k2, y1);
                y2 = x.fma(k1, y2);
                y3 = x.fma(k0, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 4 * pixel, ORDER);
                y2 = x.fma(k2, y2);
                y3 = x.fma(k1, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 5 * pixel, ORDER);
                y3 = x.fma(k2, y3);
                y0.blend(low, y0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t, ORDER);
                y1.blend(low, y1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t + pixel, ORDER);
                y2.blend(low, y2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t + 2 * pixel, ORDER);
                y3.blend(low, y3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t + 3 * pixel, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += 9 * BYTES;
                t += BYTES;
                b += BYTES;
            }
            r0 += d0;
            r1 += d1;
            r2 += d2;
            to += 4 * pixel;
        }
    }

    /** Two results at a time, whose sources lie {@code next} bytes apart. */
    static void two(
            long r0,
            long r1,
            long r2,
            long d0,
            long d1,
            long d2,
            long pixel,
            long next,
            long w,
            int steps,
            int vectors,
            long bias,
            int floor,
            long to) {
        pixel &= STRIDE;
        next &= STRIDE;
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = w, t = to, b = bias;
            for (int v = 0; v < vectors; v += one) {
                x0 &= ADDRESS;
                x1 &= ADDRESS;
                x2 &= ADDRESS;
                k &= ADDRESS;
                t &= ADDRESS;
                b &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
                FloatVector y1 = y0;
                FloatVector x, k0, k1, k2;
                k0 = FloatVector.fromMemorySegment(S, ALL, k, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel, ORDER);
                y0 = x.fma(k1, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel, ORDER);
                y0 = x.fma(k2, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + pixel, ORDER);
                y1 = x.fma(k1, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + 2 * pixel, ORDER);
                y1 = x.fma(k2, y1);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel, ORDER);
                y0 = x.fma(k1, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel, ORDER);
                y0 = x.fma(k2, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + pixel, ORDER);
                y1 = x.fma(k1, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + 2 * pixel, ORDER);
                y1 = x.fma(k2, y1);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel, ORDER);
                y0 = x.fma(k1, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel, ORDER);
                y0 = x.fma(k2, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + pixel, ORDER);
                y1 = x.fma(k1, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + 2 * pixel, ORDER);
                y1 = x.fma(k2, y1);
                y0.blend(low, y0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t, ORDER);
                y1.blend(low, y1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t + pixel, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += 9 * BYTES;
                t += BYTES;
                b += BYTES;
            }
            r0 += d0;
            r1 += d1;
            r2 += d2;
            to += 2 * pixel;
        }
    }

    /** One result pixel, each of whose taps reads its own address. */
    static void nine(long[] x, long w, int vectors, long bias, int floor, long to) {
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long x0 = x[0] & ADDRESS,
                x1 = x[1] & ADDRESS,
                x2 = x[2] & ADDRESS,
                x3 = x[3] & ADDRESS,
                x4 = x[4] & ADDRESS,
                x5 = x[5] & ADDRESS,
                x6 = x[6] & ADDRESS,
                x7 = x[7] & ADDRESS,
                x8 = x[8] & ADDRESS,
                at = 0;
        bias &= ADDRESS;
        to &= ADDRESS;
        for (int v = 0, one = step; v < vectors; v += one) {
            at &= STRIDE;
            w &= ADDRESS;
            FloatVector y = FloatVector.fromMemorySegment(S, ALL, bias + at, ORDER);
            y = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 2 * BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 3 * BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 4 * BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x5 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 5 * BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x6 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 6 * BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x7 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 7 * BYTES, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x8 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w + 8 * BYTES, ORDER), y);
            y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + at, ORDER);
            at += BYTES;
            w += 9 * BYTES;
        }
    }

    /** One image pixel that at most four taps meet: sources at {@code x}, taps {@code w} bytes into the filter's nine. */
    static void quad(long[] x, long[] w, int vectors, long to) {
        long x0 = x[0] & ADDRESS,
                w0 = w[0] & ADDRESS,
                x1 = x[1] & ADDRESS,
                w1 = w[1] & ADDRESS,
                x2 = x[2] & ADDRESS,
                w2 = w[2] & ADDRESS,
                x3 = x[3] & ADDRESS,
                w3 = w[3] & ADDRESS,
                at = 0,
                taps = 0;
        to &= ADDRESS;
        for (int v = 0, one = step; v < vectors; v += one) {
            at &= STRIDE;
            taps &= STRIDE;
            FloatVector y = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER)
                    .mul(FloatVector.fromMemorySegment(S, ALL, w0 + taps, ORDER));
            y = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w1 + taps, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w2 + taps, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w3 + taps, ORDER), y);
            y.intoMemorySegment(ALL, to + at, ORDER);
            at += BYTES;
            taps += 9 * BYTES;
        }
    }

    /** Adds what four pixels of dy give to the nine taps, stride 1. */
    static void addFour(
            long r0,
            long r1,
            long r2,
            long d0,
            long d1,
            long d2,
            long pixel,
            long dy,
            int steps,
            int vectors,
            long dw) {
        pixel &= STRIDE;
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = dw, t = dy;
            for (int v = 0; v < vectors; v += one) {
                x0 &= ADDRESS;
                x1 &= ADDRESS;
                x2 &= ADDRESS;
                k &= ADDRESS;
                t &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, t, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, t + pixel, ORDER);
                FloatVector y2 = FloatVector.fromMemorySegment(S, ALL, t + 2 * pixel, ORDER);
                FloatVector y3 = FloatVector.fromMemorySegment(S, ALL, t + 3 * pixel, ORDER);
                FloatVector x, k0, k1, k2;
                k0 = FloatVector.fromMemorySegment(S, ALL, k, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel, ORDER);
                k1 = x.fma(y0, k1);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel, ORDER);
                k2 = x.fma(y0, k2);
                k1 = x.fma(y1, k1);
                k0 = x.fma(y2, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 3 * pixel, ORDER);
                k2 = x.fma(y1, k2);
                k1 = x.fma(y2, k1);
                k0 = x.fma(y3, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 4 * pixel, ORDER);
                k2 = x.fma(y2, k2);
                k1 = x.fma(y3, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 5 * pixel, ORDER);
                k2 = x.fma(y3, k2);
                k0.intoMemorySegment(ALL, k, ORDER);
                k1.intoMemorySegment(ALL, k + BYTES, ORDER);
                k2.intoMemorySegment(ALL, k + 2 * BYTES, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel, ORDER);
                k1 = x.fma(y0, k1);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel, ORDER);
                k2 = x.fma(y0, k2);
                k1 = x.fma(y1, k1);
                k0 = x.fma(y2, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 3 * pixel, ORDER);
                k2 = x.fma(y1, k2);
                k1 = x.fma(y2, k1);
                k0 = x.fma(y3, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 4 * pixel, ORDER);
                k2 = x.fma(y2, k2);
                k1 = x.fma(y3, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 5 * pixel, ORDER);
                k2 = x.fma(y3, k2);
                k0.intoMemorySegment(ALL, k + 3 * BYTES, ORDER);
                k1.intoMemorySegment(ALL, k + 4 * BYTES, ORDER);
                k2.intoMemorySegment(ALL, k + 5 * BYTES, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel, ORDER);
                k1 = x.fma(y0, k1);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel, ORDER);
                k2 = x.fma(y0, k2);
                k1 = x.fma(y1, k1);
                k0 = x.fma(y2, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 3 * pixel, ORDER);
                k2 = x.fma(y1, k2);
                k1 = x.fma(y2, k1);
                k0 = x.fma(y3, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 4 * pixel, ORDER);
                k2 = x.fma(y2, k2);
                k1 = x.fma(y3, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 5 * pixel, ORDER);
                k2 = x.fma(y3, k2);
                k0.intoMemorySegment(ALL, k + 6 * BYTES, ORDER);
                k1.intoMemorySegment(ALL, k + 7 * BYTES, ORDER);
                k2.intoMemorySegment(ALL, k + 8 * BYTES, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += 9 * BYTES;
                t += BYTES;
            }
            r0 += d0;
            r1 += d1;
            r2 += d2;
            dy += 4 * pixel;
        }
    }

    /** Adds what two pixels of dy give, whose sources lie {@code next} bytes apart. */
    static void addTwo(
            long r0,
            long r1,
            long r2,
            long d0,
            long d1,
            long d2,
            long pixel,
            long next,
            long dy,
            int steps,
            int vectors,
            long dw) {
        pixel &= STRIDE;
        next &= STRIDE;
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = dw, t = dy;
            for (int v = 0; v < vectors; v += one) {
                x0 &= ADDRESS;
                x1 &= ADDRESS;
                x2 &= ADDRESS;
                k &= ADDRESS;
                t &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, t, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, t + pixel, ORDER);
                FloatVector x, k0, k1, k2;
                k0 = FloatVector.fromMemorySegment(S, ALL, k, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel, ORDER);
                k1 = x.fma(y0, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel, ORDER);
                k2 = x.fma(y0, k2);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + pixel, ORDER);
                k1 = x.fma(y1, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + 2 * pixel, ORDER);
                k2 = x.fma(y1, k2);
                k0.intoMemorySegment(ALL, k, ORDER);
                k1.intoMemorySegment(ALL, k + BYTES, ORDER);
                k2.intoMemorySegment(ALL, k + 2 * BYTES, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel, ORDER);
                k1 = x.fma(y0, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel, ORDER);
                k2 = x.fma(y0, k2);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + pixel, ORDER);
                k1 = x.fma(y1, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + 2 * pixel, ORDER);
                k2 = x.fma(y1, k2);
                k0.intoMemorySegment(ALL, k + 3 * BYTES, ORDER);
                k1.intoMemorySegment(ALL, k + 4 * BYTES, ORDER);
                k2.intoMemorySegment(ALL, k + 5 * BYTES, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * BYTES, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * BYTES, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * BYTES, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel, ORDER);
                k1 = x.fma(y0, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel, ORDER);
                k2 = x.fma(y0, k2);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + pixel, ORDER);
                k1 = x.fma(y1, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + 2 * pixel, ORDER);
                k2 = x.fma(y1, k2);
                k0.intoMemorySegment(ALL, k + 6 * BYTES, ORDER);
                k1.intoMemorySegment(ALL, k + 7 * BYTES, ORDER);
                k2.intoMemorySegment(ALL, k + 8 * BYTES, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += 9 * BYTES;
                t += BYTES;
            }
            r0 += d0;
            r1 += d1;
            r2 += d2;
            dy += 2 * pixel;
        }
    }

    /** Adds what one pixel of dy gives, each tap with a source of its own. */
    static void addNine(long[] x, long dy, int vectors, long dw) {
        long x0 = x[0] & ADDRESS,
                x1 = x[1] & ADDRESS,
                x2 = x[2] & ADDRESS,
                x3 = x[3] & ADDRESS,
                x4 = x[4] & ADDRESS,
                x5 = x[5] & ADDRESS,
                x6 = x[6] & ADDRESS,
                x7 = x[7] & ADDRESS,
                x8 = x[8] & ADDRESS,
                at = 0;
        dy &= ADDRESS;
        for (int v = 0, one = step; v < vectors; v += one) {
            at &= STRIDE;
            dw &= ADDRESS;
            FloatVector y = FloatVector.fromMemorySegment(S, ALL, dy + at, ORDER), sum;
            sum = FloatVector.fromMemorySegment(S, ALL, dw, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 2 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 2 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 3 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 3 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 4 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 4 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 5 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x5 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 5 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 6 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x6 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 6 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 7 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x7 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 7 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, dw + 8 * BYTES, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x8 + at, ORDER).fma(y, sum);
            sum.intoMemorySegment(ALL, dw + 8 * BYTES, ORDER);
            at += BYTES;
            dw += 9 * BYTES;
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
