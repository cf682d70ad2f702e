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

    /**
     * Eleven pixels and one vector of columns, for three taps that are neighbours and pixels that are, too: a broadcast serves three
     * pixels, 16 loads for 33 multiply-adds.
     *
     * @param taps of the first of each three, filters the rows of B for it, and bs the bytes from one of the three to the next
     */
    static void set11x1(long[] taps, long[] filters, long a, long rs, long b, long bs, long c, long ldc, long bias) {
        FloatVector c0 = FloatVector.zero(S),
                c1 = c0,
                c2 = c0,
                c3 = c0,
                c4 = c0,
                c5 = c0,
                c6 = c0,
                c7 = c0,
                c8 = c0,
                c9 = c0,
                c10 = c0;
        rs &= GemmPanels.READABLE;
        bs &= GemmPanels.READABLE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2);
        a &= ADDRESS;
        b &= ADDRESS;
        for (int t = 0, one = step; t < taps.length; t += one) {
            long p = a + taps[t] & ADDRESS, f = b + filters[t] & ADDRESS;
            long half = p + (rs << 3);
            FloatVector f0 = FloatVector.fromMemorySegment(S, ALL, f, ORDER);
            FloatVector f1 = FloatVector.fromMemorySegment(S, ALL, f + bs, ORDER);
            FloatVector f2 = FloatVector.fromMemorySegment(S, ALL, f + (bs << 1), ORDER);
            FloatVector x;
            // before the multiply-adds: see VectorMath on what C2 inlines
            float x0 = ALL.get(FLOAT, p);
            float x1 = ALL.get(FLOAT, p + rs);
            float x2 = ALL.get(FLOAT, p + (rs << 1));
            float x3 = ALL.get(FLOAT, p + r3);
            float x4 = ALL.get(FLOAT, p + (rs << 2));
            float x5 = ALL.get(FLOAT, p + r5);
            float x6 = ALL.get(FLOAT, p + (r3 << 1));
            float x7 = ALL.get(FLOAT, p + r7);
            float x8 = ALL.get(FLOAT, half);
            float x9 = ALL.get(FLOAT, half + rs);
            float x10 = ALL.get(FLOAT, half + (rs << 1));
            float x11 = ALL.get(FLOAT, half + r3);
            float x12 = ALL.get(FLOAT, half + (rs << 2));
            x = FloatVector.broadcast(S, x0);
            c0 = x.fma(f0, c0);
            x = FloatVector.broadcast(S, x1);
            c0 = x.fma(f1, c0);
            c1 = x.fma(f0, c1);
            x = FloatVector.broadcast(S, x2);
            c0 = x.fma(f2, c0);
            c1 = x.fma(f1, c1);
            c2 = x.fma(f0, c2);
            x = FloatVector.broadcast(S, x3);
            c1 = x.fma(f2, c1);
            c2 = x.fma(f1, c2);
            c3 = x.fma(f0, c3);
            x = FloatVector.broadcast(S, x4);
            c2 = x.fma(f2, c2);
            c3 = x.fma(f1, c3);
            c4 = x.fma(f0, c4);
            x = FloatVector.broadcast(S, x5);
            c3 = x.fma(f2, c3);
            c4 = x.fma(f1, c4);
            c5 = x.fma(f0, c5);
            x = FloatVector.broadcast(S, x6);
            c4 = x.fma(f2, c4);
            c5 = x.fma(f1, c5);
            c6 = x.fma(f0, c6);
            x = FloatVector.broadcast(S, x7);
            c5 = x.fma(f2, c5);
            c6 = x.fma(f1, c6);
            c7 = x.fma(f0, c7);
            x = FloatVector.broadcast(S, x8);
            c6 = x.fma(f2, c6);
            c7 = x.fma(f1, c7);
            c8 = x.fma(f0, c8);
            x = FloatVector.broadcast(S, x9);
            c7 = x.fma(f2, c7);
            c8 = x.fma(f1, c8);
            c9 = x.fma(f0, c9);
            x = FloatVector.broadcast(S, x10);
            c8 = x.fma(f2, c8);
            c9 = x.fma(f1, c9);
            c10 = x.fma(f0, c10);
            x = FloatVector.broadcast(S, x11);
            c9 = x.fma(f2, c9);
            c10 = x.fma(f1, c10);
            x = FloatVector.broadcast(S, x12);
            c10 = x.fma(f2, c10);
        }
        bias &= ADDRESS;
        c &= ADDRESS;
        ldc &= GemmPanels.READABLE;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, ORDER);
        s0.add(c0).intoMemorySegment(ALL, c, ORDER);
        s0.add(c1).intoMemorySegment(ALL, c + ldc, ORDER);
        s0.add(c2).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        s0.add(c3).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        s0.add(c4).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        s0.add(c5).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        s0.add(c6).intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        s0.add(c7).intoMemorySegment(ALL, c + 7 * ldc, ORDER);
        s0.add(c8).intoMemorySegment(ALL, c + 8 * ldc, ORDER);
        s0.add(c9).intoMemorySegment(ALL, c + 9 * ldc, ORDER);
        s0.add(c10).intoMemorySegment(ALL, c + 10 * ldc, ORDER);
    }

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
