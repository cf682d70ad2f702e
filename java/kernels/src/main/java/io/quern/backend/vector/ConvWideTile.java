package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.NEAR;
import static io.quern.backend.vector.Lanes.ORDER;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The tile for many result channels, in the form of {@link ConvTiles}: 10 loads for 24 multiply-adds. */
final class ConvWideTile {
    static final int ROWS = 6, VECTORS = 4;

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private ConvWideTile() {}

    /** As {@link ConvTiles#set8x2} without a floor, for which the first compiler has no room. */
    static void set6x4(
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
            long bias) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NEAR;
        long r2 = rows[row + 2] - first & NEAR;
        long r3 = rows[row + 3] - first & NEAR;
        long r4 = rows[row + 4] - first & NEAR;
        long r5 = rows[row + 5] - first & NEAR;
        FloatVector c00 = FloatVector.zero(S);
        FloatVector c01 = FloatVector.zero(S);
        FloatVector c02 = FloatVector.zero(S);
        FloatVector c03 = FloatVector.zero(S);
        FloatVector c10 = FloatVector.zero(S);
        FloatVector c11 = FloatVector.zero(S);
        FloatVector c12 = FloatVector.zero(S);
        FloatVector c13 = FloatVector.zero(S);
        FloatVector c20 = FloatVector.zero(S);
        FloatVector c21 = FloatVector.zero(S);
        FloatVector c22 = FloatVector.zero(S);
        FloatVector c23 = FloatVector.zero(S);
        FloatVector c30 = FloatVector.zero(S);
        FloatVector c31 = FloatVector.zero(S);
        FloatVector c32 = FloatVector.zero(S);
        FloatVector c33 = FloatVector.zero(S);
        FloatVector c40 = FloatVector.zero(S);
        FloatVector c41 = FloatVector.zero(S);
        FloatVector c42 = FloatVector.zero(S);
        FloatVector c43 = FloatVector.zero(S);
        FloatVector c50 = FloatVector.zero(S);
        FloatVector c51 = FloatVector.zero(S);
        FloatVector c52 = FloatVector.zero(S);
        FloatVector c53 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector x;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, f + BYTES, ORDER);
                FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, f + 2 * BYTES, ORDER);
                FloatVector b3 = FloatVector.fromMemorySegment(S, ALL, f + 3 * BYTES, ORDER);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at));
                c00 = x.fma(b0, c00);
                c01 = x.fma(b1, c01);
                c02 = x.fma(b2, c02);
                c03 = x.fma(b3, c03);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r1));
                c10 = x.fma(b0, c10);
                c11 = x.fma(b1, c11);
                c12 = x.fma(b2, c12);
                c13 = x.fma(b3, c13);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r2));
                c20 = x.fma(b0, c20);
                c21 = x.fma(b1, c21);
                c22 = x.fma(b2, c22);
                c23 = x.fma(b3, c23);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r3));
                c30 = x.fma(b0, c30);
                c31 = x.fma(b1, c31);
                c32 = x.fma(b2, c32);
                c33 = x.fma(b3, c33);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r4));
                c40 = x.fma(b0, c40);
                c41 = x.fma(b1, c41);
                c42 = x.fma(b2, c42);
                c43 = x.fma(b3, c43);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r5));
                c50 = x.fma(b0, c50);
                c51 = x.fma(b1, c51);
                c52 = x.fma(b2, c52);
                c53 = x.fma(b3, c53);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + BYTES, ORDER);
        FloatVector s2 = FloatVector.fromMemorySegment(S, ALL, bias + 2 * BYTES, ORDER);
        FloatVector s3 = FloatVector.fromMemorySegment(S, ALL, bias + 3 * BYTES, ORDER);
        long to;
        to = c + results[result] & ADDRESS;
        s0.add(c00).intoMemorySegment(ALL, to, ORDER);
        s1.add(c01).intoMemorySegment(ALL, to + BYTES, ORDER);
        s2.add(c02).intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        s3.add(c03).intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        to = c + results[result + 1] & ADDRESS;
        s0.add(c10).intoMemorySegment(ALL, to, ORDER);
        s1.add(c11).intoMemorySegment(ALL, to + BYTES, ORDER);
        s2.add(c12).intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        s3.add(c13).intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        to = c + results[result + 2] & ADDRESS;
        s0.add(c20).intoMemorySegment(ALL, to, ORDER);
        s1.add(c21).intoMemorySegment(ALL, to + BYTES, ORDER);
        s2.add(c22).intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        s3.add(c23).intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        to = c + results[result + 3] & ADDRESS;
        s0.add(c30).intoMemorySegment(ALL, to, ORDER);
        s1.add(c31).intoMemorySegment(ALL, to + BYTES, ORDER);
        s2.add(c32).intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        s3.add(c33).intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        to = c + results[result + 4] & ADDRESS;
        s0.add(c40).intoMemorySegment(ALL, to, ORDER);
        s1.add(c41).intoMemorySegment(ALL, to + BYTES, ORDER);
        s2.add(c42).intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        s3.add(c43).intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        to = c + results[result + 5] & ADDRESS;
        s0.add(c50).intoMemorySegment(ALL, to, ORDER);
        s1.add(c51).intoMemorySegment(ALL, to + BYTES, ORDER);
        s2.add(c52).intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        s3.add(c53).intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
    }
}
