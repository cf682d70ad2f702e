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
 * so that memory is read and written in long runs. Taps and pixels lie {@code tap} and {@code pixel} bytes apart; the three
 * source rows advance by {@code d0, d1, d2} bytes per step, which is 0 for a row of zeros outside the image.
 *
 * <p>The form of the loops is that of {@link ConvTiles}; each result is one chain in the order of taps.
 */
final class DepthwiseRows {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
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
            long tap,
            int steps,
            int vectors,
            long bias,
            int floor,
            long to) {
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = w, b = bias, t = to;
            for (int v = 0; v < vectors; v += one) {
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, b & ADDRESS, ORDER);
                FloatVector y1 = y0;
                FloatVector y2 = y0;
                FloatVector y3 = y0;
                FloatVector k0, k1, k2, x;
                k0 = FloatVector.fromMemorySegment(S, ALL, k & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0 & ADDRESS, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel & ADDRESS, ORDER);
                y0 = x.fma(k1, y0);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel & ADDRESS, ORDER);
                y0 = x.fma(k2, y0);
                y1 = x.fma(k1, y1);
                y2 = x.fma(k0, y2);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 3 * pixel & ADDRESS, ORDER);
                y1 = x.fma(k2, y1);
                y2 = x.fma(k1, y2);
                y3 = x.fma(k0, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 4 * pixel & ADDRESS, ORDER);
                y2 = x.fma(k2, y2);
                y3 = x.fma(k1, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 5 * pixel & ADDRESS, ORDER);
                y3 = x.fma(k2, y3);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1 & ADDRESS, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel & ADDRESS, ORDER);
                y0 = x.fma(k1, y0);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel & ADDRESS, ORDER);
                y0 = x.fma(k2, y0);
                y1 = x.fma(k1, y1);
                y2 = x.fma(k0, y2);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 3 * pixel & ADDRESS, ORDER);
                y1 = x.fma(k2, y1);
                y2 = x.fma(k1, y2);
                y3 = x.fma(k0, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 4 * pixel & ADDRESS, ORDER);
                y2 = x.fma(k2, y2);
                y3 = x.fma(k1, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 5 * pixel & ADDRESS, ORDER);
                y3 = x.fma(k2, y3);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2 & ADDRESS, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel & ADDRESS, ORDER);
                y0 = x.fma(k1, y0);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel & ADDRESS, ORDER);
                y0 = x.fma(k2, y0);
                y1 = x.fma(k1, y1);
                y2 = x.fma(k0, y2);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 3 * pixel & ADDRESS, ORDER);
                y1 = x.fma(k2, y1);
                y2 = x.fma(k1, y2);
                y3 = x.fma(k0, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 4 * pixel & ADDRESS, ORDER);
                y2 = x.fma(k2, y2);
                y3 = x.fma(k1, y3);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 5 * pixel & ADDRESS, ORDER);
                y3 = x.fma(k2, y3);
                y0.blend(low, y0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t & ADDRESS, ORDER);
                y1.blend(low, y1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t + pixel & ADDRESS, ORDER);
                y2.blend(low, y2.compare(VectorOperators.LT, low))
                        .intoMemorySegment(ALL, t + 2 * pixel & ADDRESS, ORDER);
                y3.blend(low, y3.compare(VectorOperators.LT, low))
                        .intoMemorySegment(ALL, t + 3 * pixel & ADDRESS, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += BYTES;
                b += BYTES;
                t += BYTES;
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
            long tap,
            int steps,
            int vectors,
            long bias,
            int floor,
            long to) {
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = w, b = bias, t = to;
            for (int v = 0; v < vectors; v += one) {
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, b & ADDRESS, ORDER);
                FloatVector y1 = y0;
                FloatVector k0, k1, k2, x;
                k0 = FloatVector.fromMemorySegment(S, ALL, k & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0 & ADDRESS, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel & ADDRESS, ORDER);
                y0 = x.fma(k1, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel & ADDRESS, ORDER);
                y0 = x.fma(k2, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next & ADDRESS, ORDER);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + pixel & ADDRESS, ORDER);
                y1 = x.fma(k1, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + 2 * pixel & ADDRESS, ORDER);
                y1 = x.fma(k2, y1);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1 & ADDRESS, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel & ADDRESS, ORDER);
                y0 = x.fma(k1, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel & ADDRESS, ORDER);
                y0 = x.fma(k2, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next & ADDRESS, ORDER);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + pixel & ADDRESS, ORDER);
                y1 = x.fma(k1, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + 2 * pixel & ADDRESS, ORDER);
                y1 = x.fma(k2, y1);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2 & ADDRESS, ORDER);
                y0 = x.fma(k0, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel & ADDRESS, ORDER);
                y0 = x.fma(k1, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel & ADDRESS, ORDER);
                y0 = x.fma(k2, y0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next & ADDRESS, ORDER);
                y1 = x.fma(k0, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + pixel & ADDRESS, ORDER);
                y1 = x.fma(k1, y1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + 2 * pixel & ADDRESS, ORDER);
                y1 = x.fma(k2, y1);
                y0.blend(low, y0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t & ADDRESS, ORDER);
                y1.blend(low, y1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, t + pixel & ADDRESS, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += BYTES;
                b += BYTES;
                t += BYTES;
            }
            r0 += d0;
            r1 += d1;
            r2 += d2;
            to += 2 * pixel;
        }
    }

    /** One result pixel, each of whose taps reads its own address. */
    static void nine(long[] x, long w, long tap, int vectors, long bias, int floor, long to) {
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7], x8 = x[8];
        long at = 0;
        for (int v = 0, one = step; v < vectors; v += one) {
            long k = w + at;
            FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, bias + at & ADDRESS, ORDER);
            y0 = FloatVector.fromMemorySegment(S, ALL, x0 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x1 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x2 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 2 * tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x3 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 3 * tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x4 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 4 * tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x5 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 5 * tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x6 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 6 * tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x7 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 7 * tap & ADDRESS, ORDER), y0);
            y0 = FloatVector.fromMemorySegment(S, ALL, x8 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, k + 8 * tap & ADDRESS, ORDER), y0);
            y0.blend(low, y0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + at & ADDRESS, ORDER);
            at += BYTES;
        }
    }

    /** One image pixel that at most four taps meet: sources and taps at the addresses in {@code x} and {@code w}. */
    static void quad(long[] x, long[] w, int vectors, long to) {
        long x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
        long at = 0;
        for (int v = 0, one = step; v < vectors; v += one) {
            FloatVector y = FloatVector.fromMemorySegment(S, ALL, x0 + at & ADDRESS, ORDER)
                    .mul(FloatVector.fromMemorySegment(S, ALL, w0 + at & ADDRESS, ORDER));
            y = FloatVector.fromMemorySegment(S, ALL, x1 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w1 + at & ADDRESS, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x2 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w2 + at & ADDRESS, ORDER), y);
            y = FloatVector.fromMemorySegment(S, ALL, x3 + at & ADDRESS, ORDER)
                    .fma(FloatVector.fromMemorySegment(S, ALL, w3 + at & ADDRESS, ORDER), y);
            y.intoMemorySegment(ALL, to + at & ADDRESS, ORDER);
            at += BYTES;
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
            long dw,
            long tap) {
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = dw, t = dy;
            for (int v = 0; v < vectors; v += one) {
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, t & ADDRESS, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, t + pixel & ADDRESS, ORDER);
                FloatVector y2 = FloatVector.fromMemorySegment(S, ALL, t + 2 * pixel & ADDRESS, ORDER);
                FloatVector y3 = FloatVector.fromMemorySegment(S, ALL, t + 3 * pixel & ADDRESS, ORDER);
                FloatVector x, k0, k1, k2;
                k0 = FloatVector.fromMemorySegment(S, ALL, k & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0 & ADDRESS, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel & ADDRESS, ORDER);
                k1 = x.fma(y0, k1);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y0, k2);
                k1 = x.fma(y1, k1);
                k0 = x.fma(y2, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 3 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y1, k2);
                k1 = x.fma(y2, k1);
                k0 = x.fma(y3, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 4 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y2, k2);
                k1 = x.fma(y3, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 5 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y3, k2);
                k0.intoMemorySegment(ALL, k & ADDRESS, ORDER);
                k1.intoMemorySegment(ALL, k + tap & ADDRESS, ORDER);
                k2.intoMemorySegment(ALL, k + 2 * tap & ADDRESS, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1 & ADDRESS, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel & ADDRESS, ORDER);
                k1 = x.fma(y0, k1);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y0, k2);
                k1 = x.fma(y1, k1);
                k0 = x.fma(y2, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 3 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y1, k2);
                k1 = x.fma(y2, k1);
                k0 = x.fma(y3, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 4 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y2, k2);
                k1 = x.fma(y3, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 5 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y3, k2);
                k0.intoMemorySegment(ALL, k + 3 * tap & ADDRESS, ORDER);
                k1.intoMemorySegment(ALL, k + 4 * tap & ADDRESS, ORDER);
                k2.intoMemorySegment(ALL, k + 5 * tap & ADDRESS, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2 & ADDRESS, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel & ADDRESS, ORDER);
                k1 = x.fma(y0, k1);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y0, k2);
                k1 = x.fma(y1, k1);
                k0 = x.fma(y2, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 3 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y1, k2);
                k1 = x.fma(y2, k1);
                k0 = x.fma(y3, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 4 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y2, k2);
                k1 = x.fma(y3, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 5 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y3, k2);
                k0.intoMemorySegment(ALL, k + 6 * tap & ADDRESS, ORDER);
                k1.intoMemorySegment(ALL, k + 7 * tap & ADDRESS, ORDER);
                k2.intoMemorySegment(ALL, k + 8 * tap & ADDRESS, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += BYTES;
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
            long dw,
            long tap) {
        for (int g = 0, one = step; g < steps; g += one) {
            long x0 = r0, x1 = r1, x2 = r2, k = dw, t = dy;
            for (int v = 0; v < vectors; v += one) {
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, t & ADDRESS, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, t + pixel & ADDRESS, ORDER);
                FloatVector x, k0, k1, k2;
                k0 = FloatVector.fromMemorySegment(S, ALL, k & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 2 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x0 & ADDRESS, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + pixel & ADDRESS, ORDER);
                k1 = x.fma(y0, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y0, k2);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next & ADDRESS, ORDER);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + pixel & ADDRESS, ORDER);
                k1 = x.fma(y1, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x0 + next + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y1, k2);
                k0.intoMemorySegment(ALL, k & ADDRESS, ORDER);
                k1.intoMemorySegment(ALL, k + tap & ADDRESS, ORDER);
                k2.intoMemorySegment(ALL, k + 2 * tap & ADDRESS, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 3 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 4 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 5 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x1 & ADDRESS, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + pixel & ADDRESS, ORDER);
                k1 = x.fma(y0, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y0, k2);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next & ADDRESS, ORDER);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + pixel & ADDRESS, ORDER);
                k1 = x.fma(y1, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x1 + next + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y1, k2);
                k0.intoMemorySegment(ALL, k + 3 * tap & ADDRESS, ORDER);
                k1.intoMemorySegment(ALL, k + 4 * tap & ADDRESS, ORDER);
                k2.intoMemorySegment(ALL, k + 5 * tap & ADDRESS, ORDER);
                k0 = FloatVector.fromMemorySegment(S, ALL, k + 6 * tap & ADDRESS, ORDER);
                k1 = FloatVector.fromMemorySegment(S, ALL, k + 7 * tap & ADDRESS, ORDER);
                k2 = FloatVector.fromMemorySegment(S, ALL, k + 8 * tap & ADDRESS, ORDER);
                x = FloatVector.fromMemorySegment(S, ALL, x2 & ADDRESS, ORDER);
                k0 = x.fma(y0, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + pixel & ADDRESS, ORDER);
                k1 = x.fma(y0, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y0, k2);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next & ADDRESS, ORDER);
                k0 = x.fma(y1, k0);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + pixel & ADDRESS, ORDER);
                k1 = x.fma(y1, k1);
                x = FloatVector.fromMemorySegment(S, ALL, x2 + next + 2 * pixel & ADDRESS, ORDER);
                k2 = x.fma(y1, k2);
                k0.intoMemorySegment(ALL, k + 6 * tap & ADDRESS, ORDER);
                k1.intoMemorySegment(ALL, k + 7 * tap & ADDRESS, ORDER);
                k2.intoMemorySegment(ALL, k + 8 * tap & ADDRESS, ORDER);
                x0 += BYTES;
                x1 += BYTES;
                x2 += BYTES;
                k += BYTES;
                t += BYTES;
            }
            r0 += d0;
            r1 += d1;
            r2 += d2;
            dy += 2 * pixel;
        }
    }

    /** Adds what one pixel of dy gives, each tap with a source of its own. */
    static void addNine(long[] x, long dy, int vectors, long dw, long tap) {
        long x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7], x8 = x[8];
        long at = 0;
        for (int v = 0, one = step; v < vectors; v += one) {
            long k = dw + at;
            FloatVector y = FloatVector.fromMemorySegment(S, ALL, dy + at & ADDRESS, ORDER), sum;
            sum = FloatVector.fromMemorySegment(S, ALL, k & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x0 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x1 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 2 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x2 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 2 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 3 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x3 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 3 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 4 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x4 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 4 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 5 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x5 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 5 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 6 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x6 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 6 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 7 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x7 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 7 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, k + 8 * tap & ADDRESS, ORDER);
            sum = FloatVector.fromMemorySegment(S, ALL, x8 + at & ADDRESS, ORDER)
                    .fma(y, sum);
            sum.intoMemorySegment(ALL, k + 8 * tap & ADDRESS, ORDER);
            at += BYTES;
        }
    }
}
