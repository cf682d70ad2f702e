package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.ConvTile.NARROW_OFFSETS;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.OFFSET;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tiles of depthwise convolutions: as {@link ConvNarrowTiles}, but A too is a vector of channels, each of which
 * meets its own channel of B.
 */
final class DepthwiseTiles {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private DepthwiseTiles() {}

    static void set8(
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
        long r1 = rows[row + 1] - first & NARROW_OFFSETS;
        long r2 = rows[row + 2] - first & NARROW_OFFSETS;
        long r3 = rows[row + 3] - first & NARROW_OFFSETS;
        long r4 = rows[row + 4] - first & NARROW_OFFSETS;
        long r5 = rows[row + 5] - first & NARROW_OFFSETS;
        long r6 = rows[row + 6] - first & NARROW_OFFSETS;
        long r7 = rows[row + 7] - first & NARROW_OFFSETS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.fromMemorySegment(S, ALL, at, Lanes.ORDER);
                c0 = x.fma(b0, c0);
                x = FloatVector.fromMemorySegment(S, ALL, at + r1, Lanes.ORDER);
                c1 = x.fma(b0, c1);
                x = FloatVector.fromMemorySegment(S, ALL, at + r2, Lanes.ORDER);
                c2 = x.fma(b0, c2);
                x = FloatVector.fromMemorySegment(S, ALL, at + r3, Lanes.ORDER);
                c3 = x.fma(b0, c3);
                x = FloatVector.fromMemorySegment(S, ALL, at + r4, Lanes.ORDER);
                c4 = x.fma(b0, c4);
                x = FloatVector.fromMemorySegment(S, ALL, at + r5, Lanes.ORDER);
                c5 = x.fma(b0, c5);
                x = FloatVector.fromMemorySegment(S, ALL, at + r6, Lanes.ORDER);
                c6 = x.fma(b0, c6);
                x = FloatVector.fromMemorySegment(S, ALL, at + r7, Lanes.ORDER);
                c7 = x.fma(b0, c7);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        v = s0.add(c4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        v = s0.add(c5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        v = s0.add(c6);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        v = s0.add(c7);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void add8(
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
        long r1 = rows[row + 1] - first & NARROW_OFFSETS;
        long r2 = rows[row + 2] - first & NARROW_OFFSETS;
        long r3 = rows[row + 3] - first & NARROW_OFFSETS;
        long r4 = rows[row + 4] - first & NARROW_OFFSETS;
        long r5 = rows[row + 5] - first & NARROW_OFFSETS;
        long r6 = rows[row + 6] - first & NARROW_OFFSETS;
        long r7 = rows[row + 7] - first & NARROW_OFFSETS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.fromMemorySegment(S, ALL, at, Lanes.ORDER);
                c0 = x.fma(b0, c0);
                x = FloatVector.fromMemorySegment(S, ALL, at + r1, Lanes.ORDER);
                c1 = x.fma(b0, c1);
                x = FloatVector.fromMemorySegment(S, ALL, at + r2, Lanes.ORDER);
                c2 = x.fma(b0, c2);
                x = FloatVector.fromMemorySegment(S, ALL, at + r3, Lanes.ORDER);
                c3 = x.fma(b0, c3);
                x = FloatVector.fromMemorySegment(S, ALL, at + r4, Lanes.ORDER);
                c4 = x.fma(b0, c4);
                x = FloatVector.fromMemorySegment(S, ALL, at + r5, Lanes.ORDER);
                c5 = x.fma(b0, c5);
                x = FloatVector.fromMemorySegment(S, ALL, at + r6, Lanes.ORDER);
                c6 = x.fma(b0, c6);
                x = FloatVector.fromMemorySegment(S, ALL, at + r7, Lanes.ORDER);
                c7 = x.fma(b0, c7);
                at += cs;
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c1).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c2).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c3).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c4).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c5).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c6).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c7).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void set4(
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
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= OFFSET;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.fromMemorySegment(S, ALL, a0 + at, Lanes.ORDER);
                c0 = x.fma(b0, c0);
                x = FloatVector.fromMemorySegment(S, ALL, a1 + at, Lanes.ORDER);
                c1 = x.fma(b0, c1);
                x = FloatVector.fromMemorySegment(S, ALL, a2 + at, Lanes.ORDER);
                c2 = x.fma(b0, c2);
                x = FloatVector.fromMemorySegment(S, ALL, a3 + at, Lanes.ORDER);
                c3 = x.fma(b0, c3);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void add4(
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
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= OFFSET;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.fromMemorySegment(S, ALL, a0 + at, Lanes.ORDER);
                c0 = x.fma(b0, c0);
                x = FloatVector.fromMemorySegment(S, ALL, a1 + at, Lanes.ORDER);
                c1 = x.fma(b0, c1);
                x = FloatVector.fromMemorySegment(S, ALL, a2 + at, Lanes.ORDER);
                c2 = x.fma(b0, c2);
                x = FloatVector.fromMemorySegment(S, ALL, a3 + at, Lanes.ORDER);
                c3 = x.fma(b0, c3);
                at += cs;
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c1).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c2).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c3).intoMemorySegment(ALL, to, Lanes.ORDER);
    }
}
