package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Depthwise 3x3 correlations for one vector of channels, the filter in registers. A row of results, or
 * four with stride 1, is computed from left to right: each column of sources is read once, finishes the results that end there,
 * and begins those that start. So four rows need 1.5 loads for the nine multiply-adds of a result, a row with stride 2 needs six.
 * Each result is one chain, column after column of its taps.
 */
final class DepthwiseCorrelation {
    /** Rows of results computed together with stride 1. */
    static final int ROWS = 4;

    private static final VectorSpecies<Float> S = Lanes.F;
    /** Bounds on {@link DepthwiseSource#pixel} and on a place in a row: sums of 31 bits fold into the addresses of loads. */
    private static final long PIXEL = (1 << 28) - 1, PLACE = (1 << 30) - 1;

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
        long pixel = x.pixel() & PIXEL, spare = x.spare() & ADDRESS;
        int pad = x.padW();
        // All places count from the first column of sources; the columns of the lead end no result.
        long lead = (2 - pad) * pixel, width = x.wide() * pixel;
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
            long start = y + p * line - lead, none = spare - lead & ADDRESS;
            long y0 = start & ADDRESS;
            long y1 = p + 1 < to ? start + line & ADDRESS : none;
            long y2 = p + 2 < to ? start + 2 * line & ADDRESS : none;
            long y3 = p + 3 < to ? start + 3 * line & ADDRESS : none;
            FloatVector a0 = shift;
            FloatVector b0 = shift;
            FloatVector a1 = shift;
            FloatVector b1 = shift;
            FloatVector a2 = shift;
            FloatVector b2 = shift;
            FloatVector a3 = shift;
            FloatVector b3 = shift;
            long at = 0;
            for (; at < lead; at += pixel) {
                at &= PLACE;
                FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                FloatVector s2 = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                FloatVector s3 = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER);
                FloatVector s4 = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER);
                FloatVector s5 = FloatVector.fromMemorySegment(S, ALL, x5 + at, ORDER);
                b0 = s0.fma(k1, b0);
                b0 = s1.fma(k4, b0);
                a0 = s2.fma(k7, b0);
                b0 = s0.fma(k0, shift);
                b0 = s1.fma(k3, b0);
                b0 = s2.fma(k6, b0);
                b1 = s1.fma(k1, b1);
                b1 = s2.fma(k4, b1);
                a1 = s3.fma(k7, b1);
                b1 = s1.fma(k0, shift);
                b1 = s2.fma(k3, b1);
                b1 = s3.fma(k6, b1);
                b2 = s2.fma(k1, b2);
                b2 = s3.fma(k4, b2);
                a2 = s4.fma(k7, b2);
                b2 = s2.fma(k0, shift);
                b2 = s3.fma(k3, b2);
                b2 = s4.fma(k6, b2);
                b3 = s3.fma(k1, b3);
                b3 = s4.fma(k4, b3);
                a3 = s5.fma(k7, b3);
                b3 = s3.fma(k0, shift);
                b3 = s4.fma(k3, b3);
                b3 = s5.fma(k6, b3);
            }
            for (; at < width; at += pixel) {
                at &= PLACE;
                FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                FloatVector s2 = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                FloatVector s3 = FloatVector.fromMemorySegment(S, ALL, x3 + at, ORDER);
                FloatVector s4 = FloatVector.fromMemorySegment(S, ALL, x4 + at, ORDER);
                FloatVector s5 = FloatVector.fromMemorySegment(S, ALL, x5 + at, ORDER);
                a0 = s0.fma(k2, a0);
                a0 = s1.fma(k5, a0);
                a0 = s2.fma(k8, a0);
                a0.blend(low, a0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + at, ORDER);
                b0 = s0.fma(k1, b0);
                b0 = s1.fma(k4, b0);
                a0 = s2.fma(k7, b0);
                b0 = s0.fma(k0, shift);
                b0 = s1.fma(k3, b0);
                b0 = s2.fma(k6, b0);
                a1 = s1.fma(k2, a1);
                a1 = s2.fma(k5, a1);
                a1 = s3.fma(k8, a1);
                a1.blend(low, a1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + at, ORDER);
                b1 = s1.fma(k1, b1);
                b1 = s2.fma(k4, b1);
                a1 = s3.fma(k7, b1);
                b1 = s1.fma(k0, shift);
                b1 = s2.fma(k3, b1);
                b1 = s3.fma(k6, b1);
                a2 = s2.fma(k2, a2);
                a2 = s3.fma(k5, a2);
                a2 = s4.fma(k8, a2);
                a2.blend(low, a2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y2 + at, ORDER);
                b2 = s2.fma(k1, b2);
                b2 = s3.fma(k4, b2);
                a2 = s4.fma(k7, b2);
                b2 = s2.fma(k0, shift);
                b2 = s3.fma(k3, b2);
                b2 = s4.fma(k6, b2);
                a3 = s3.fma(k2, a3);
                a3 = s4.fma(k5, a3);
                a3 = s5.fma(k8, a3);
                a3.blend(low, a3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y3 + at, ORDER);
                b3 = s3.fma(k1, b3);
                b3 = s4.fma(k4, b3);
                a3 = s5.fma(k7, b3);
                b3 = s3.fma(k0, shift);
                b3 = s4.fma(k3, b3);
                b3 = s5.fma(k6, b3);
            }
            if (pad > 0) {
                at &= PLACE;
                a0.blend(low, a0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + at, ORDER);
                a1.blend(low, a1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + at, ORDER);
                a2.blend(low, a2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y2 + at, ORDER);
                a3.blend(low, a3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y3 + at, ORDER);
            }
            if (pad > 1) {
                at = at + pixel & PLACE;
                b0.blend(low, b0.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + at, ORDER);
                b1.blend(low, b1.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y1 + at, ORDER);
                b2.blend(low, b2.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y2 + at, ORDER);
                b3.blend(low, b3.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y3 + at, ORDER);
            }
        }
    }

    /** As {@link #correlate} with stride 2 and at most one column of padding. */
    static void strided(
            DepthwiseSource x, long first, long filter, long bias, int floor, int from, int to, long y, long line) {
        long pixel = x.pixel() & PIXEL;
        int pad = x.padW();
        long lead = (1 - pad) * pixel, width = x.wide() * pixel;
        long whole = lead + (x.wide() - 1 + pad) / 2 * 2 * pixel, pairs = whole - 4 * pixel;
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
        for (int p = from; p < to; p++) {
            long x0 = x.row(first, 2 * p) & ADDRESS;
            long x1 = x.row(first, 2 * p + 1) & ADDRESS;
            long x2 = x.row(first, 2 * p + 2) & ADDRESS;
            long y0 = y + p * line & ADDRESS;
            FloatVector a = shift;
            long at = 0, out = 0;
            for (; at < lead; at += pixel) {
                at &= PLACE;
                FloatVector s;
                s = FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER);
                a = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER);
                a = s.fma(k3, a);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER);
                a = s.fma(k6, a);
            }
            // Two results a turn keep the sums in their registers; one or two are left for the next loop, always.
            for (; at < pairs; at += 4 * pixel) {
                at &= PLACE;
                out &= PLACE;
                long at1 = at + pixel & PLACE, at2 = at1 + pixel & PLACE, at3 = at2 + pixel & PLACE;
                long out1 = out + pixel & PLACE;
                FloatVector s, b;
                a = k1.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER), a);
                a = k4.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER), a);
                a = k7.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER), a);
                s = FloatVector.fromMemorySegment(S, ALL, x0 + at1, ORDER);
                a = s.fma(k2, a);
                b = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + at1, ORDER);
                a = s.fma(k5, a);
                b = s.fma(k3, b);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + at1, ORDER);
                a = s.fma(k8, a);
                b = s.fma(k6, b);
                a.blend(low, a.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                b = k1.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at2, ORDER), b);
                b = k4.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at2, ORDER), b);
                b = k7.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at2, ORDER), b);
                s = FloatVector.fromMemorySegment(S, ALL, x0 + at3, ORDER);
                b = s.fma(k2, b);
                a = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + at3, ORDER);
                b = s.fma(k5, b);
                a = s.fma(k3, a);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + at3, ORDER);
                b = s.fma(k8, b);
                a = s.fma(k6, a);
                b.blend(low, b.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out1, ORDER);
                out += 2 * pixel;
            }
            for (; at < whole; at += 2 * pixel) {
                at &= PLACE;
                out &= PLACE;
                long next = at + pixel & PLACE;
                FloatVector s, b;
                a = k1.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER), a);
                a = k4.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER), a);
                a = k7.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER), a);
                s = FloatVector.fromMemorySegment(S, ALL, x0 + next, ORDER);
                a = s.fma(k2, a);
                b = s.fma(k0, shift);
                s = FloatVector.fromMemorySegment(S, ALL, x1 + next, ORDER);
                a = s.fma(k5, a);
                b = s.fma(k3, b);
                s = FloatVector.fromMemorySegment(S, ALL, x2 + next, ORDER);
                a = s.fma(k8, a);
                b = s.fma(k6, b);
                a.blend(low, a.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
                a = b;
                out += pixel;
            }
            if (pad > 0 && at < width) {
                at &= PLACE;
                out &= PLACE;
                a = k1.fma(FloatVector.fromMemorySegment(S, ALL, x0 + at, ORDER), a);
                a = k4.fma(FloatVector.fromMemorySegment(S, ALL, x1 + at, ORDER), a);
                a = k7.fma(FloatVector.fromMemorySegment(S, ALL, x2 + at, ORDER), a);
                a.blend(low, a.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, y0 + out, ORDER);
            }
        }
    }
}
