package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradient of a depthwise 3x3 convolution by its filter, some rows of dy for one vector of channels, the nine sums in
 * registers. A row is passed from left to right with the three columns of sources that the taps of a pixel meet; with
 * stride 1, two of them are those of the pixel before. So four loads serve nine multiply-adds.
 */
final class DepthwiseGradient {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Bounds on {@link DepthwiseSource#pixel} and on a place in a row: sums of 31 bits fold into the addresses of loads. */
    private static final long PIXEL = (1 << 28) - 1, PLACE = (1 << 30) - 1;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseGradient() {}

    /**
     * Adds to the sums, nine vectors, what rows {@code from} .. {@code to} of dy give with stride 1.
     *
     * @param first the first source of the image
     * @param dy the first pixel of dy's image, in {@code count} pixels a row, as far apart as sources
     */
    static void gradient(DepthwiseSource x, long first, long dy, int count, int from, int to, long sum) {
        long pixel = x.pixel() & PIXEL, zeros = x.zeros() & ADDRESS;
        int pad = x.padW(), whole = Math.clamp(x.wide() - 2L + pad, 0, count), pairs = whole - 2;
        long second = pad == 0 ? pixel : 0, third = (2 - pad) * pixel;
        FloatVector zero = FloatVector.zero(S);
        int one = step;
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
        for (int p = from; p < to; p += one) {
            long x0 = x.row(first, p) & ADDRESS;
            long x1 = x.row(first, p + 1) & ADDRESS;
            long x2 = x.row(first, p + 2) & ADDRESS;
            long y = dy + (long) p * count * pixel;
            // The columns of sources that the taps of a pixel meet are a, b and c.
            FloatVector a0 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x0 : zeros, ORDER);
            FloatVector a1 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x1 : zeros, ORDER);
            FloatVector a2 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x2 : zeros, ORDER);
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, pad == 2 ? zeros : x0 + second, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, pad == 2 ? zeros : x1 + second, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, pad == 2 ? zeros : x2 + second, ORDER);
            long at = third, e = y;
            int q = 0;
            // Two pixels a turn: the fewer instructions between loads, the more lines are on their way together. One
            // or two are left for the next loop, always: a loop never entered is dropped, then compiled anew.
            for (; q < pairs; q += 2 * one) {
                at &= PLACE;
                e &= ADDRESS;
                long next = at + pixel & PLACE;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, e, ORDER);
                FloatVector f = FloatVector.fromMemorySegment(S, ALL, e + pixel, ORDER);
                k0 = d.fma(a0, k0);
                k1 = d.fma(b0, k1);
                k0 = f.fma(b0, k0);
                a0 = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                k2 = d.fma(a0, k2);
                k1 = f.fma(a0, k1);
                b0 = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                k2 = f.fma(b0, k2);
                k3 = d.fma(a1, k3);
                k4 = d.fma(b1, k4);
                k3 = f.fma(b1, k3);
                a1 = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                k5 = d.fma(a1, k5);
                k4 = f.fma(a1, k4);
                b1 = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                k5 = f.fma(b1, k5);
                k6 = d.fma(a2, k6);
                k7 = d.fma(b2, k7);
                k6 = f.fma(b2, k6);
                a2 = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                k8 = d.fma(a2, k8);
                k7 = f.fma(a2, k7);
                b2 = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                k8 = f.fma(b2, k8);
                at += 2 * pixel;
                e += 2 * pixel;
            }
            for (; q < whole; q += one) {
                at &= PLACE;
                e &= ADDRESS;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, e, ORDER);
                FloatVector c0 = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                k0 = a0.fma(d, k0);
                k1 = b0.fma(d, k1);
                k2 = c0.fma(d, k2);
                FloatVector c1 = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                k3 = a1.fma(d, k3);
                k4 = b1.fma(d, k4);
                k5 = c1.fma(d, k5);
                FloatVector c2 = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                k6 = a2.fma(d, k6);
                k7 = b2.fma(d, k7);
                k8 = c2.fma(d, k8);
                a0 = b0;
                b0 = c0;
                a1 = b1;
                b1 = c1;
                a2 = b2;
                b2 = c2;
                at += pixel;
                e += pixel;
            }
            for (; q < count; q += one) {
                e &= ADDRESS;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, e, ORDER);
                k0 = a0.fma(d, k0);
                k1 = b0.fma(d, k1);
                k3 = a1.fma(d, k3);
                k4 = b1.fma(d, k4);
                k6 = a2.fma(d, k6);
                k7 = b2.fma(d, k7);
                a0 = b0;
                b0 = zero;
                a1 = b1;
                b1 = zero;
                a2 = b2;
                b2 = zero;
                e += pixel;
            }
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

    /** As {@link #gradient} with stride 2 and at most one column of padding. */
    static void strided(DepthwiseSource x, long first, long dy, int count, int from, int to, long sum) {
        long pixel = x.pixel() & PIXEL, zeros = x.zeros() & ADDRESS;
        int pad = x.padW(), whole = Math.min(count, (x.wide() - 1 + pad) / 2), pairs = whole - 2;
        long second = (1 - pad) * pixel;
        int one = step;
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
        for (int p = from; p < to; p += one) {
            long x0 = x.row(first, 2 * p) & ADDRESS;
            long x1 = x.row(first, 2 * p + 1) & ADDRESS;
            long x2 = x.row(first, 2 * p + 2) & ADDRESS;
            long y = dy + (long) p * count * pixel;
            FloatVector a0 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x0 : zeros, ORDER);
            FloatVector a1 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x1 : zeros, ORDER);
            FloatVector a2 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x2 : zeros, ORDER);
            long at = second, e = y;
            int q = 0;
            // Sources that only one multiply-add needs are its second factor: so they become operands in memory.
            for (; q < pairs; q += 2 * one) {
                at &= PLACE;
                e &= ADDRESS;
                long at1 = at + pixel & PLACE, at2 = at1 + pixel & PLACE, at3 = at2 + pixel & PLACE;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, e, ORDER);
                FloatVector f = FloatVector.fromMemorySegment(S, ALL, e + pixel, ORDER);
                k0 = d.fma(a0, k0);
                k1 = d.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER), k1);
                FloatVector c0 = FloatVector.fromMemorySegment(S, ALL, x0 + at1, ORDER);
                k2 = d.fma(c0, k2);
                k3 = d.fma(a1, k3);
                k4 = d.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER), k4);
                FloatVector c1 = FloatVector.fromMemorySegment(S, ALL, x1 + at1, ORDER);
                k5 = d.fma(c1, k5);
                k6 = d.fma(a2, k6);
                k7 = d.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER), k7);
                FloatVector c2 = FloatVector.fromMemorySegment(S, ALL, x2 + at1, ORDER);
                k8 = d.fma(c2, k8);
                k0 = f.fma(c0, k0);
                k1 = f.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at2, ORDER), k1);
                a0 = FloatVector.fromMemorySegment(S, ALL, x0 + at3, ORDER);
                k2 = f.fma(a0, k2);
                k3 = f.fma(c1, k3);
                k4 = f.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at2, ORDER), k4);
                a1 = FloatVector.fromMemorySegment(S, ALL, x1 + at3, ORDER);
                k5 = f.fma(a1, k5);
                k6 = f.fma(c2, k6);
                k7 = f.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at2, ORDER), k7);
                a2 = FloatVector.fromMemorySegment(S, ALL, x2 + at3, ORDER);
                k8 = f.fma(a2, k8);
                at += 4 * pixel;
                e += 2 * pixel;
            }
            for (; q < whole; q += one) {
                at &= PLACE;
                e &= ADDRESS;
                long next = at + pixel & PLACE;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, e, ORDER);
                k0 = d.fma(a0, k0);
                k1 = d.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER), k1);
                a0 = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                k2 = d.fma(a0, k2);
                k3 = d.fma(a1, k3);
                k4 = d.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER), k4);
                a1 = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                k5 = d.fma(a1, k5);
                k6 = d.fma(a2, k6);
                k7 = d.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER), k7);
                a2 = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                k8 = d.fma(a2, k8);
                at += 2 * pixel;
                e += pixel;
            }
            if (q < count) {
                at &= PLACE;
                e &= ADDRESS;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, e, ORDER);
                k0 = d.fma(a0, k0);
                k1 = d.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER), k1);
                k3 = d.fma(a1, k3);
                k4 = d.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER), k4);
                k6 = d.fma(a2, k6);
                k7 = d.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER), k7);
            }
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
