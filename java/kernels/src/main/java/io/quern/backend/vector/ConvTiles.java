package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The register tiles of convolutions: pixels x vectors of sums over all taps, neither branching nor masking inside.
 *
 * <p>results[i] = bias + sum over taps t and depth d of A[rows[i] + taps[t] + d cs] B[t kc + d], or results[i] plus that
 * sum. A is read by broadcast from wherever its rows lie, so an im2col view needs no memory and no packing: forward, a row
 * is a result pixel, a tap a filter row and d runs along (s, c); for the filter's gradient, a row is a filter element, a
 * tap an image row and d runs along pixels. All offsets are in bytes.
 *
 * <p>C2 compiles the loops as written because it cannot know the step to be 1 (a counted loop would be unrolled into
 * spills) and because masked addresses are never negative, which folds the bounds checks. The tables are Java arrays: an
 * access to a segment costs the compiler hundreds of nodes. Every sum passes through one more operation before it is
 * stored, which gives C2 its exact class. Each element is one fused chain in the order of taps, whatever the tile.
 */
final class ConvTiles {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Addresses and the offsets of taps, as types that C2 knows not to overflow. */
    private static final long ADDRESS = (1L << 56) - 1;

    private static final long OFFSET = (1L << 40) - 1;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private ConvTiles() {}

    static void tile8x2(
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
        FloatVector c00 = FloatVector.zero(S);
        FloatVector c01 = FloatVector.zero(S);
        FloatVector c10 = FloatVector.zero(S);
        FloatVector c11 = FloatVector.zero(S);
        FloatVector c20 = FloatVector.zero(S);
        FloatVector c21 = FloatVector.zero(S);
        FloatVector c30 = FloatVector.zero(S);
        FloatVector c31 = FloatVector.zero(S);
        FloatVector c40 = FloatVector.zero(S);
        FloatVector c41 = FloatVector.zero(S);
        FloatVector c50 = FloatVector.zero(S);
        FloatVector c51 = FloatVector.zero(S);
        FloatVector c60 = FloatVector.zero(S);
        FloatVector c61 = FloatVector.zero(S);
        FloatVector c70 = FloatVector.zero(S);
        FloatVector c71 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            for (int d = 0; d < kc; d += one) {
                at &= OFFSET;
                b &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, Lanes.ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + Lanes.BYTES, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, a0 + at));
                c00 = x.fma(b0, c00);
                c01 = x.fma(b1, c01);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a1 + at));
                c10 = x.fma(b0, c10);
                c11 = x.fma(b1, c11);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a2 + at));
                c20 = x.fma(b0, c20);
                c21 = x.fma(b1, c21);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a3 + at));
                c30 = x.fma(b0, c30);
                c31 = x.fma(b1, c31);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a4 + at));
                c40 = x.fma(b0, c40);
                c41 = x.fma(b1, c41);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a5 + at));
                c50 = x.fma(b0, c50);
                c51 = x.fma(b1, c51);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a6 + at));
                c60 = x.fma(b0, c60);
                c61 = x.fma(b1, c61);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a7 + at));
                c70 = x.fma(b0, c70);
                c71 = x.fma(b1, c71);
                at += cs;
                b += bs;
            }
        }
        if (add) {
            long to = c + results[result] & ADDRESS;
            add(c00, to);
            add(c01, to + Lanes.BYTES);
            to = c + results[result + 1] & ADDRESS;
            add(c10, to);
            add(c11, to + Lanes.BYTES);
            to = c + results[result + 2] & ADDRESS;
            add(c20, to);
            add(c21, to + Lanes.BYTES);
            to = c + results[result + 3] & ADDRESS;
            add(c30, to);
            add(c31, to + Lanes.BYTES);
            to = c + results[result + 4] & ADDRESS;
            add(c40, to);
            add(c41, to + Lanes.BYTES);
            to = c + results[result + 5] & ADDRESS;
            add(c50, to);
            add(c51, to + Lanes.BYTES);
            to = c + results[result + 6] & ADDRESS;
            add(c60, to);
            add(c61, to + Lanes.BYTES);
            to = c + results[result + 7] & ADDRESS;
            add(c70, to);
            add(c71, to + Lanes.BYTES);
            return;
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + Lanes.BYTES, Lanes.ORDER);
        long to = c + results[result] & ADDRESS;
        c00.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c01.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        c10.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c11.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        c20.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c21.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        c30.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c31.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        c40.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c41.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        c50.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c51.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        c60.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c61.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        c70.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c71.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
    }

    static void tile4x2(
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
        FloatVector c00 = FloatVector.zero(S);
        FloatVector c01 = FloatVector.zero(S);
        FloatVector c10 = FloatVector.zero(S);
        FloatVector c11 = FloatVector.zero(S);
        FloatVector c20 = FloatVector.zero(S);
        FloatVector c21 = FloatVector.zero(S);
        FloatVector c30 = FloatVector.zero(S);
        FloatVector c31 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            for (int d = 0; d < kc; d += one) {
                at &= OFFSET;
                b &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, Lanes.ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + Lanes.BYTES, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, a0 + at));
                c00 = x.fma(b0, c00);
                c01 = x.fma(b1, c01);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a1 + at));
                c10 = x.fma(b0, c10);
                c11 = x.fma(b1, c11);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a2 + at));
                c20 = x.fma(b0, c20);
                c21 = x.fma(b1, c21);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a3 + at));
                c30 = x.fma(b0, c30);
                c31 = x.fma(b1, c31);
                at += cs;
                b += bs;
            }
        }
        if (add) {
            long to = c + results[result] & ADDRESS;
            add(c00, to);
            add(c01, to + Lanes.BYTES);
            to = c + results[result + 1] & ADDRESS;
            add(c10, to);
            add(c11, to + Lanes.BYTES);
            to = c + results[result + 2] & ADDRESS;
            add(c20, to);
            add(c21, to + Lanes.BYTES);
            to = c + results[result + 3] & ADDRESS;
            add(c30, to);
            add(c31, to + Lanes.BYTES);
            return;
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + Lanes.BYTES, Lanes.ORDER);
        long to = c + results[result] & ADDRESS;
        c00.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c01.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        c10.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c11.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        c20.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c21.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        c30.add(s0).intoMemorySegment(ALL, to, Lanes.ORDER);
        c31.add(s1).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
    }

    private static void add(FloatVector sum, long to) {
        sum.add(FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }
}
