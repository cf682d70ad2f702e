// Long because each register tile is a method of its own: accumulators must be local variables for C2 to keep them in
// registers.
package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.NEAR;
import static io.quern.backend.vector.Lanes.OFFSET;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The register tiles of convolutions: pixels x vectors of sums over all taps, neither branching nor masking inside.
 *
 * <p>With sum = sum over taps t and depth d of A[rows[i] + taps[t] + d cs] B[filters[t] + d], {@code set} stores results[i] =
 * max(floor, bias + sum), where floor (as int bits) is 0 for a fused ReLU, else minus infinity, and NaN stays; {@code add}
 * adds the sum to results[i]. A is read by broadcast from wherever its rows lie, so an im2col view needs no memory and no
 * packing: forward, a row is a result pixel, a tap a filter row and d runs along (s, c); for the filter's gradient, a row
 * is a filter element, a tap an image row and d runs along pixels. All offsets are in bytes. Each element is one fused
 * chain in the order of taps, whatever the tile.
 *
 * <p>Tiles of more than four rows demand that their rows follow the first one ({@link ConvRows#near}): the first one's
 * address and offsets that are an int cost no instruction, an address per row costs two each.
 *
 * <p>What the compilers demand. The step of a loop is not known to be 1, or is a stride above 0: a counted loop would be
 * unrolled into spills. Masked addresses are never negative, which folds the bounds checks. The tables are Java arrays:
 * an access to a segment costs C2 hundreds of nodes. A sum is an argument of calls, never their receiver, whose class C2
 * must know; vectors pass through no method, which may box them. And a method must be small enough for C1: one that it
 * gives up on can stay interpreted for ever when the machine is busy during warm-up.
 */
final class ConvTiles {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private ConvTiles() {}

    static void set8x2(
            long[] taps,
            long[] filters,
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
            int floor) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NEAR;
        long r2 = rows[row + 2] - first & NEAR;
        long r3 = rows[row + 3] - first & NEAR;
        long r4 = rows[row + 4] - first & NEAR;
        long r5 = rows[row + 5] - first & NEAR;
        long r6 = rows[row + 6] - first & NEAR;
        long r7 = rows[row + 7] - first & NEAR;
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
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, f + Lanes.BYTES, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, at));
                c00 = x.fma(b0, c00);
                c01 = x.fma(b1, c01);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r1));
                c10 = x.fma(b0, c10);
                c11 = x.fma(b1, c11);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r2));
                c20 = x.fma(b0, c20);
                c21 = x.fma(b1, c21);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r3));
                c30 = x.fma(b0, c30);
                c31 = x.fma(b1, c31);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r4));
                c40 = x.fma(b0, c40);
                c41 = x.fma(b1, c41);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r5));
                c50 = x.fma(b0, c50);
                c51 = x.fma(b1, c51);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r6));
                c60 = x.fma(b0, c60);
                c61 = x.fma(b1, c61);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r7));
                c70 = x.fma(b0, c70);
                c71 = x.fma(b1, c71);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + Lanes.BYTES, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c00);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c01);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c10);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c11);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c20);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c21);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c30);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c31);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        v = s0.add(c40);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c41);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        v = s0.add(c50);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c51);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        v = s0.add(c60);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c61);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        v = s0.add(c70);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c71);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
    }

    static void add8x2(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NEAR;
        long r2 = rows[row + 2] - first & NEAR;
        long r3 = rows[row + 3] - first & NEAR;
        long r4 = rows[row + 4] - first & NEAR;
        long r5 = rows[row + 5] - first & NEAR;
        long r6 = rows[row + 6] - first & NEAR;
        long r7 = rows[row + 7] - first & NEAR;
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
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, f + Lanes.BYTES, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, at));
                c00 = x.fma(b0, c00);
                c01 = x.fma(b1, c01);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r1));
                c10 = x.fma(b0, c10);
                c11 = x.fma(b1, c11);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r2));
                c20 = x.fma(b0, c20);
                c21 = x.fma(b1, c21);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r3));
                c30 = x.fma(b0, c30);
                c31 = x.fma(b1, c31);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r4));
                c40 = x.fma(b0, c40);
                c41 = x.fma(b1, c41);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r5));
                c50 = x.fma(b0, c50);
                c51 = x.fma(b1, c51);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r6));
                c60 = x.fma(b0, c60);
                c61 = x.fma(b1, c61);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r7));
                c70 = x.fma(b0, c70);
                c71 = x.fma(b1, c71);
                at += cs;
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c00).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c01)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c10).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c11)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c20).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c21)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c30).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c31)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c40).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c41)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c50).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c51)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c60).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c61)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c70).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c71)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
    }

    static void set4x2(
            long[] taps,
            long[] filters,
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
            int floor) {
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
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= OFFSET;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, f + Lanes.BYTES, Lanes.ORDER);
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
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + Lanes.BYTES, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c00);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c01);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c10);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c11);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c20);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c21);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c30);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        v = s1.add(c31);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
    }

    static void add4x2(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c) {
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
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= OFFSET;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, f + Lanes.BYTES, Lanes.ORDER);
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
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c00).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c01)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c10).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c11)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c20).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c21)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c30).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(c31)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
    }
}
