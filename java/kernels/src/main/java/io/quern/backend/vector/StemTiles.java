// Long because each register tile is a method of its own: accumulators must be local variables for C2 to keep them in
// registers.
package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tiles of {@link StemCorrelation}, in the form of {@link ConvTiles}: C[i] = bias + sum over t of A[i rs + taps[t]] B[t],
 * strides in bytes. Rows of A at one distance need few general registers; a table of them would live on the stack, and
 * every broadcast would load its address first.
 */
final class StemTiles {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private StemTiles() {}

    static void set8x2(long[] taps, long a, long rs, long b, long bs, long c, long ldc, long bias) {
        FloatVector c0a = FloatVector.zero(S),
                c0b = c0a,
                c1a = c0a,
                c1b = c0a,
                c2a = c0a,
                c2b = c0a,
                c3a = c0a,
                c3b = c0a,
                c4a = c0a,
                c4b = c0a,
                c5a = c0a,
                c5b = c0a,
                c6a = c0a,
                c6b = c0a,
                c7a = c0a,
                c7b = c0a;
        rs &= GemmPanels.READABLE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2);
        a &= ADDRESS;
        for (int t = 0, one = step; t < taps.length; t += one) {
            long p = a + taps[t] & ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p));
            c0a = x.fma(b0, c0a);
            c0b = x.fma(b1, c0b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + rs));
            c1a = x.fma(b0, c1a);
            c1b = x.fma(b1, c1b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + (rs << 1)));
            c2a = x.fma(b0, c2a);
            c2b = x.fma(b1, c2b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + r3));
            c3a = x.fma(b0, c3a);
            c3b = x.fma(b1, c3b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + (rs << 2)));
            c4a = x.fma(b0, c4a);
            c4b = x.fma(b1, c4b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + r5));
            c5a = x.fma(b0, c5a);
            c5b = x.fma(b1, c5b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + (r3 << 1)));
            c6a = x.fma(b0, c6a);
            c6b = x.fma(b1, c6b);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + r7));
            c7a = x.fma(b0, c7a);
            c7b = x.fma(b1, c7b);
            b += bs;
        }
        bias &= ADDRESS;
        c &= ADDRESS;
        ldc &= GemmPanels.READABLE;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + BYTES, ORDER);
        s0.add(c0a).intoMemorySegment(ALL, c, ORDER);
        s1.add(c0b).intoMemorySegment(ALL, c + BYTES, ORDER);
        s0.add(c1a).intoMemorySegment(ALL, c + ldc, ORDER);
        s1.add(c1b).intoMemorySegment(ALL, c + ldc + BYTES, ORDER);
        s0.add(c2a).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        s1.add(c2b).intoMemorySegment(ALL, c + 2 * ldc + BYTES, ORDER);
        s0.add(c3a).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        s1.add(c3b).intoMemorySegment(ALL, c + 3 * ldc + BYTES, ORDER);
        s0.add(c4a).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        s1.add(c4b).intoMemorySegment(ALL, c + 4 * ldc + BYTES, ORDER);
        s0.add(c5a).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        s1.add(c5b).intoMemorySegment(ALL, c + 5 * ldc + BYTES, ORDER);
        s0.add(c6a).intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        s1.add(c6b).intoMemorySegment(ALL, c + 6 * ldc + BYTES, ORDER);
        s0.add(c7a).intoMemorySegment(ALL, c + 7 * ldc, ORDER);
        s1.add(c7b).intoMemorySegment(ALL, c + 7 * ldc + BYTES, ORDER);
    }

    static void set6x4(long[] taps, long a, long rs, long b, long bs, long c, long ldc, long bias) {
        FloatVector c0a = FloatVector.zero(S),
                c0b = c0a,
                c0c = c0a,
                c0d = c0a,
                c1a = c0a,
                c1b = c0a,
                c1c = c0a,
                c1d = c0a,
                c2a = c0a,
                c2b = c0a,
                c2c = c0a,
                c2d = c0a,
                c3a = c0a,
                c3b = c0a,
                c3c = c0a,
                c3d = c0a,
                c4a = c0a,
                c4b = c0a,
                c4c = c0a,
                c4d = c0a,
                c5a = c0a,
                c5b = c0a,
                c5c = c0a,
                c5d = c0a;
        rs &= GemmPanels.READABLE;
        long r3 = rs * 3, r5 = rs * 5;
        a &= ADDRESS;
        for (int t = 0, one = step; t < taps.length; t += one) {
            long p = a + taps[t] & ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, b + 2 * BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(S, ALL, b + 3 * BYTES, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p));
            c0a = x.fma(b0, c0a);
            c0b = x.fma(b1, c0b);
            c0c = x.fma(b2, c0c);
            c0d = x.fma(b3, c0d);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + rs));
            c1a = x.fma(b0, c1a);
            c1b = x.fma(b1, c1b);
            c1c = x.fma(b2, c1c);
            c1d = x.fma(b3, c1d);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + (rs << 1)));
            c2a = x.fma(b0, c2a);
            c2b = x.fma(b1, c2b);
            c2c = x.fma(b2, c2c);
            c2d = x.fma(b3, c2d);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + r3));
            c3a = x.fma(b0, c3a);
            c3b = x.fma(b1, c3b);
            c3c = x.fma(b2, c3c);
            c3d = x.fma(b3, c3d);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + (rs << 2)));
            c4a = x.fma(b0, c4a);
            c4b = x.fma(b1, c4b);
            c4c = x.fma(b2, c4c);
            c4d = x.fma(b3, c4d);
            x = FloatVector.broadcast(S, ALL.get(FLOAT, p + r5));
            c5a = x.fma(b0, c5a);
            c5b = x.fma(b1, c5b);
            c5c = x.fma(b2, c5c);
            c5d = x.fma(b3, c5d);
            b += bs;
        }
        bias &= ADDRESS;
        c &= ADDRESS;
        ldc &= GemmPanels.READABLE;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, ORDER);
        FloatVector s1 = FloatVector.fromMemorySegment(S, ALL, bias + BYTES, ORDER);
        FloatVector s2 = FloatVector.fromMemorySegment(S, ALL, bias + 2 * BYTES, ORDER);
        FloatVector s3 = FloatVector.fromMemorySegment(S, ALL, bias + 3 * BYTES, ORDER);
        s0.add(c0a).intoMemorySegment(ALL, c, ORDER);
        s1.add(c0b).intoMemorySegment(ALL, c + BYTES, ORDER);
        s2.add(c0c).intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
        s3.add(c0d).intoMemorySegment(ALL, c + 3 * BYTES, ORDER);
        s0.add(c1a).intoMemorySegment(ALL, c + ldc, ORDER);
        s1.add(c1b).intoMemorySegment(ALL, c + ldc + BYTES, ORDER);
        s2.add(c1c).intoMemorySegment(ALL, c + ldc + 2 * BYTES, ORDER);
        s3.add(c1d).intoMemorySegment(ALL, c + ldc + 3 * BYTES, ORDER);
        s0.add(c2a).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        s1.add(c2b).intoMemorySegment(ALL, c + 2 * ldc + BYTES, ORDER);
        s2.add(c2c).intoMemorySegment(ALL, c + 2 * ldc + 2 * BYTES, ORDER);
        s3.add(c2d).intoMemorySegment(ALL, c + 2 * ldc + 3 * BYTES, ORDER);
        s0.add(c3a).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        s1.add(c3b).intoMemorySegment(ALL, c + 3 * ldc + BYTES, ORDER);
        s2.add(c3c).intoMemorySegment(ALL, c + 3 * ldc + 2 * BYTES, ORDER);
        s3.add(c3d).intoMemorySegment(ALL, c + 3 * ldc + 3 * BYTES, ORDER);
        s0.add(c4a).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        s1.add(c4b).intoMemorySegment(ALL, c + 4 * ldc + BYTES, ORDER);
        s2.add(c4c).intoMemorySegment(ALL, c + 4 * ldc + 2 * BYTES, ORDER);
        s3.add(c4d).intoMemorySegment(ALL, c + 4 * ldc + 3 * BYTES, ORDER);
        s0.add(c5a).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        s1.add(c5b).intoMemorySegment(ALL, c + 5 * ldc + BYTES, ORDER);
        s2.add(c5c).intoMemorySegment(ALL, c + 5 * ldc + 2 * BYTES, ORDER);
        s3.add(c5d).intoMemorySegment(ALL, c + 5 * ldc + 3 * BYTES, ORDER);
    }
}
