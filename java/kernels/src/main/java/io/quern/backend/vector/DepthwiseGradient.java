package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.OFFSET;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradient of a depthwise 3x3 convolution by its filter for one vector of channels, the nine sums in registers. Rows of dy
 * are passed from left to right with the three columns of sources that the taps of a pixel meet; with stride 1, two of
 * them are those of the pixel before. So four loads serve nine multiply-adds.
 */
final class DepthwiseGradient {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseGradient() {}

    /**
     * Adds to the nine vectors at {@code sum} what rows {@code from} .. {@code to} of dy give with stride 1.
     *
     * @param first the first source of the image
     * @param dy the first pixel of dy's image, in {@code count} pixels a row, as far apart as sources
     */
    static void gradient(DepthwiseSource x, long first, long dy, int count, int from, int to, long sum) {
        long pixel = x.pixel() & OFFSET, zeros = x.zeros() & ADDRESS;
        int pad = x.padW(), whole = Math.clamp(x.wide() - 2L + pad, 0, count);
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
        for (int p = from, one = step; p < to; p += one) {
            long x0 = x.row(first, p) & ADDRESS;
            long x1 = x.row(first, p + 1) & ADDRESS;
            long x2 = x.row(first, p + 2) & ADDRESS;
            long y = dy + (long) p * count * pixel & ADDRESS;
            // The columns of sources that the taps of a row meet are a, b and c.
            FloatVector a0 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x0 : zeros, ORDER);
            FloatVector a1 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x1 : zeros, ORDER);
            FloatVector a2 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x2 : zeros, ORDER);
            long at = pad == 0 ? pixel : 0;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, pad == 2 ? zeros : x0 + at, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, pad == 2 ? zeros : x1 + at, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, pad == 2 ? zeros : x2 + at, ORDER);
            at = (2 - pad) * pixel;
            for (int q = 0; q < count; q += one) {
                if (q >= whole) {
                    x0 = zeros;
                    x1 = zeros;
                    x2 = zeros;
                    at = 0;
                }
                at &= OFFSET;
                y &= ADDRESS;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, y, ORDER);
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
                y += pixel;
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
        long pixel = x.pixel() & OFFSET, zeros = x.zeros() & ADDRESS;
        int pad = x.padW(), whole = (x.wide() - 1 + pad) / 2;
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
        for (int p = from, one = step; p < to; p += one) {
            long x0 = x.row(first, 2 * p) & ADDRESS;
            long x1 = x.row(first, 2 * p + 1) & ADDRESS;
            long x2 = x.row(first, 2 * p + 2) & ADDRESS;
            long y = dy + (long) p * count * pixel & ADDRESS;
            FloatVector a0 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x0 : zeros, ORDER);
            FloatVector a1 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x1 : zeros, ORDER);
            FloatVector a2 = FloatVector.fromMemorySegment(S, ALL, pad == 0 ? x2 : zeros, ORDER);
            long at = (1 - pad) * pixel, next = at + pixel;
            for (int q = 0; q < count; q += one) {
                at &= OFFSET;
                y &= ADDRESS;
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, y, ORDER);
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                k0 = a0.fma(d, k0);
                k1 = b0.fma(d, k1);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                k3 = a1.fma(d, k3);
                k4 = b1.fma(d, k4);
                FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                k6 = a2.fma(d, k6);
                k7 = b2.fma(d, k7);
                if (q >= whole) {
                    x0 = zeros;
                    x1 = zeros;
                    x2 = zeros;
                    next = 0;
                }
                next &= OFFSET;
                a0 = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                k2 = a0.fma(d, k2);
                a1 = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                k5 = a1.fma(d, k5);
                a2 = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                k8 = a2.fma(d, k8);
                at = next + pixel;
                next = at + pixel;
                y += pixel;
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
