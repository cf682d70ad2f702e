package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tiles of depthwise convolutions: as {@link ConvNarrowTiles}, but A too is a vector of channels, each of which
 * meets its own channel of B.
 */
final class DepthwiseTiles {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Addresses and the offsets of taps, as types that C2 knows not to overflow. */
    private static final long ADDRESS = (1L << 56) - 1;

    private static final long OFFSET = (1L << 40) - 1;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private DepthwiseTiles() {}

    static void tile8(
            long[] taps,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c,
            long bias,
            boolean add) {
        long a0 = a + rows[row] & ADDRESS;
        long a1 = a + rows[row + 1] & ADDRESS;
        long a2 = a + rows[row + 2] & ADDRESS;
        long a3 = a + rows[row + 3] & ADDRESS;
        long a4 = a + rows[row + 4] & ADDRESS;
        long a5 = a + rows[row + 5] & ADDRESS;
        long a6 = a + rows[row + 6] & ADDRESS;
        long a7 = a + rows[row + 7] & ADDRESS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            for (int d = 0; d < kc; d += one) {
                at &= OFFSET;
                b &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, Lanes.ORDER);
                FloatVector x = FloatVector.fromMemorySegment(S, ALL, a0 + at, Lanes.ORDER);
                c0 = x.fma(b0, c0);
                x = FloatVector.fromMemorySegment(S, ALL, a1 + at, Lanes.ORDER);
                c1 = x.fma(b0, c1);
                x = FloatVector.fromMemorySegment(S, ALL, a2 + at, Lanes.ORDER);
                c2 = x.fma(b0, c2);
                x = FloatVector.fromMemorySegment(S, ALL, a3 + at, Lanes.ORDER);
                c3 = x.fma(b0, c3);
                x = FloatVector.fromMemorySegment(S, ALL, a4 + at, Lanes.ORDER);
                c4 = x.fma(b0, c4);
                x = FloatVector.fromMemorySegment(S, ALL, a5 + at, Lanes.ORDER);
                c5 = x.fma(b0, c5);
                x = FloatVector.fromMemorySegment(S, ALL, a6 + at, Lanes.ORDER);
                c6 = x.fma(b0, c6);
                x = FloatVector.fromMemorySegment(S, ALL, a7 + at, Lanes.ORDER);
                c7 = x.fma(b0, c7);
                at += cs;
                b += bs;
            }
        }
        if (add) {
            long to = c + results[result] & ADDRESS;
            add(c0, to);
            to = c + results[result + 1] & ADDRESS;
            add(c1, to);
            to = c + results[result + 2] & ADDRESS;
            add(c2, to);
            to = c + results[result + 3] & ADDRESS;
            add(c3, to);
            to = c + results[result + 4] & ADDRESS;
            add(c4, to);
            to = c + results[result + 5] & ADDRESS;
            add(c5, to);
            to = c + results[result + 6] & ADDRESS;
            add(c6, to);
            to = c + results[result + 7] & ADDRESS;
            add(c7, to);
            return;
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        long to = c + results[result] & ADDRESS;
        c0.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        c1.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        c2.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        c3.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        c4.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        c5.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        c6.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        c7.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void tile4(
            long[] taps,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c,
            long bias,
            boolean add) {
        long a0 = a + rows[row] & ADDRESS;
        long a1 = a + rows[row + 1] & ADDRESS;
        long a2 = a + rows[row + 2] & ADDRESS;
        long a3 = a + rows[row + 3] & ADDRESS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            for (int d = 0; d < kc; d += one) {
                at &= OFFSET;
                b &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, Lanes.ORDER);
                FloatVector x = FloatVector.fromMemorySegment(S, ALL, a0 + at, Lanes.ORDER);
                c0 = x.fma(b0, c0);
                x = FloatVector.fromMemorySegment(S, ALL, a1 + at, Lanes.ORDER);
                c1 = x.fma(b0, c1);
                x = FloatVector.fromMemorySegment(S, ALL, a2 + at, Lanes.ORDER);
                c2 = x.fma(b0, c2);
                x = FloatVector.fromMemorySegment(S, ALL, a3 + at, Lanes.ORDER);
                c3 = x.fma(b0, c3);
                at += cs;
                b += bs;
            }
        }
        if (add) {
            long to = c + results[result] & ADDRESS;
            add(c0, to);
            to = c + results[result + 1] & ADDRESS;
            add(c1, to);
            to = c + results[result + 2] & ADDRESS;
            add(c2, to);
            to = c + results[result + 3] & ADDRESS;
            add(c3, to);
            return;
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        long to = c + results[result] & ADDRESS;
        c0.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        c1.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        c2.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        c3.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    private static void add(FloatVector sum, long to) {
        sum.add(FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }
}
