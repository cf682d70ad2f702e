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
 * The tile of machines with 16 vector registers; the form is that of {@link ConvTiles}. C2 keeps two broadcasts ahead and the
 * general registers of two nested loops spill into a vector one, which leaves room for ten sums: 6x2 spills, 4x2 has too few
 * chains. At this width the front end of the processor is as much a limit as its multiply-adds: three rows are an int behind
 * the first one, which saves an instruction each. A fourth would make C2 lift more loads than there are registers.
 */
final class ConvTiles16 {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private ConvTiles16() {}

    static void set5x2(
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
        long r4 = rows[row + 4] - first & OFFSET;
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
    }

    static void add5x2(
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
        long r4 = rows[row + 4] - first & OFFSET;
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
    }
}
