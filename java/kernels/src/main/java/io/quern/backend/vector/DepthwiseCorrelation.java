package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.OFFSET;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Depthwise 3x3 correlations for one vector of channels, the filter in registers. Some rows of results are computed
 * together, from left to right: each column of sources is read once, finishes the results that end there, and begins those
 * that start. So four rows need 1.5 loads for the nine multiply-adds of a result. Each result is one chain, column after
 * column of its taps.
 */
final class DepthwiseCorrelation {
    /** Rows of results computed together with stride 1, and with stride 2. */
    static final int ROWS = 4, STRIDED_ROWS = 2;

    private static final VectorSpecies<Float> S = Lanes.F;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseCorrelation() {}

    /**
     * Rows {@code from} .. {@code to} of results with stride 1.
     *
     * @param filter nine vectors in the order of taps
     * @param bias one vector, added first
     * @param floor bits of what smaller results become
     * @param y the first result of the image, in rows {@code line} bytes apart
     */
    static void correlate(
            DepthwiseSource x, long first, long filter, long bias, int floor, int from, int to, long y, long line) {
        long pixel = x.pixel() & OFFSET, spare = x.spare() & ADDRESS;
        int wide = x.wide(), pad = x.padW();
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
        for (int p = from; p < to; p += ROWS) {
            long x0 = x.row(first, p) & ADDRESS;
            long x1 = x.row(first, p + 1) & ADDRESS;
            long x2 = x.row(first, p + 2) & ADDRESS;
            long x3 = x.row(first, p + 3) & ADDRESS;
            long x4 = x.row(first, p + 4) & ADDRESS;
            long x5 = x.row(first, p + 5) & ADDRESS;
            long y0 = y + p * line & ADDRESS;
            long y1 = p + 1 < to ? y + (p + 1) * line & ADDRESS : spare;
            long y2 = p + 2 < to ? y + (p + 2) * line & ADDRESS : spare;
            long y3 = p + 3 < to ? y + (p + 3) * line & ADDRESS : spare;
            FloatVector a0 = shift;
            FloatVector b0 = shift;
            FloatVector a1 = shift;
            FloatVector b1 = shift;
            FloatVector a2 = shift;
            FloatVector b2 = shift;
            FloatVector a3 = shift;
            FloatVector b3 = shift;
            long at = 0, out = 0;
            for (int j = pad - 2, last = j + wide, one = step; j < last; j += one) {
                at &= OFFSET;
                out &= OFFSET;
                FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                FloatVector s2 = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                FloatVector s3 = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER);
                FloatVector s4 = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER);
                FloatVector s5 = FloatVector.fromMemorySegment(S, ALL, x5 + at, ORDER);
                a0 = s0.fma(k2, a0);
                a0 = s1.fma(k5, a0);
                a0 = s2.fma(k8, a0);
                a0.blend(low, a0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                b0 = s0.fma(k1, b0);
                b0 = s1.fma(k4, b0);
                a0 = s2.fma(k7, b0);
                b0 = s0.fma(k0, shift);
                b0 = s1.fma(k3, b0);
                b0 = s2.fma(k6, b0);
                a1 = s1.fma(k2, a1);
                a1 = s2.fma(k5, a1);
                a1 = s3.fma(k8, a1);
                a1.blend(low, a1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + out, ORDER);
                b1 = s1.fma(k1, b1);
                b1 = s2.fma(k4, b1);
                a1 = s3.fma(k7, b1);
                b1 = s1.fma(k0, shift);
                b1 = s2.fma(k3, b1);
                b1 = s3.fma(k6, b1);
                a2 = s2.fma(k2, a2);
                a2 = s3.fma(k5, a2);
                a2 = s4.fma(k8, a2);
                a2.blend(low, a2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y2 + out, ORDER);
                b2 = s2.fma(k1, b2);
                b2 = s3.fma(k4, b2);
                a2 = s4.fma(k7, b2);
                b2 = s2.fma(k0, shift);
                b2 = s3.fma(k3, b2);
                b2 = s4.fma(k6, b2);
                a3 = s3.fma(k2, a3);
                a3 = s4.fma(k5, a3);
                a3 = s5.fma(k8, a3);
                a3.blend(low, a3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y3 + out, ORDER);
                b3 = s3.fma(k1, b3);
                b3 = s4.fma(k4, b3);
                a3 = s5.fma(k7, b3);
                b3 = s3.fma(k0, shift);
                b3 = s4.fma(k3, b3);
                b3 = s5.fma(k6, b3);
                at += pixel;
                // Until the first result ends, what is written in its place means nothing.
                out += j < 0 ? 0 : pixel;
            }
            if (pad > 0) {
                out &= OFFSET;
                a0.blend(low, a0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                a1.blend(low, a1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + out, ORDER);
                a2.blend(low, a2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y2 + out, ORDER);
                a3.blend(low, a3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y3 + out, ORDER);
            }
            if (pad > 1) {
                out = out + pixel & OFFSET;
                b0.blend(low, b0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                b1.blend(low, b1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + out, ORDER);
                b2.blend(low, b2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y2 + out, ORDER);
                b3.blend(low, b3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y3 + out, ORDER);
            }
        }
    }

    /** As {@link #correlate} with stride 2 and at most one column of padding. */
    static void strided(
            DepthwiseSource x, long first, long filter, long bias, int floor, int from, int to, long y, long line) {
        long pixel = x.pixel() & OFFSET, spare = x.spare() & ADDRESS;
        int wide = x.wide(), pad = x.padW();
        int whole = (wide - 1 + pad) / 2;
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
        for (int p = from; p < to; p += STRIDED_ROWS) {
            long x0 = x.row(first, 2 * p) & ADDRESS;
            long x1 = x.row(first, 2 * p + 1) & ADDRESS;
            long x2 = x.row(first, 2 * p + 2) & ADDRESS;
            long x3 = x.row(first, 2 * p + 3) & ADDRESS;
            long x4 = x.row(first, 2 * p + 4) & ADDRESS;
            long y0 = y + p * line & ADDRESS;
            long y1 = p + 1 < to ? y + (p + 1) * line & ADDRESS : spare;
            FloatVector a0 = shift;
            FloatVector a1 = shift;
            // Without padding, a step whose result means nothing brings the first column.
            long at = 0, next = pad * pixel, out = 0;
            for (int q = pad - 1, one = step; q < whole; q += one) {
                at &= OFFSET;
                next &= OFFSET;
                out &= OFFSET;
                FloatVector s;
                s = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                a0 = s.fma(k1, a0);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                a0 = s.fma(k4, a0);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                a0 = s.fma(k7, a0);
                a1 = s.fma(k1, a1);
                s = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER);
                a1 = s.fma(k4, a1);
                s = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER);
                a1 = s.fma(k7, a1);
                s = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                a0 = s.fma(k2, a0);
                FloatVector b0 = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                a0 = s.fma(k5, a0);
                b0 = s.fma(k3, b0);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                a0 = s.fma(k8, a0);
                a1 = s.fma(k2, a1);
                b0 = s.fma(k6, b0);
                FloatVector b1 = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, x3 + next, ORDER);
                a1 = s.fma(k5, a1);
                b1 = s.fma(k3, b1);
                s = FloatVector.fromMemorySegment(S, ALL, x4 + next, ORDER);
                a1 = s.fma(k8, a1);
                b1 = s.fma(k6, b1);
                a0.blend(low, a0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                a0 = b0;
                a1.blend(low, a1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + out, ORDER);
                a1 = b1;
                at = next + pixel;
                next = at + pixel;
                out += q < 0 ? 0 : pixel;
            }
            if (pad > 0 && wide % 2 != 0) {
                at &= OFFSET;
                out &= OFFSET;
                FloatVector s;
                s = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                a0 = s.fma(k1, a0);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                a0 = s.fma(k4, a0);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                a0 = s.fma(k7, a0);
                a1 = s.fma(k1, a1);
                s = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER);
                a1 = s.fma(k4, a1);
                s = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER);
                a1 = s.fma(k7, a1);
                a0.blend(low, a0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                a1.blend(low, a1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + out, ORDER);
            }
        }
    }
}
