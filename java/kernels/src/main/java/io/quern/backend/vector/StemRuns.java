// Long because each register tile is a method of its own: accumulators must be local variables for C2 to keep them in
// registers.
package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.ORDER;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tiles of {@link StemCorrelation} where neighbours of a row of the filter meet pixels that are neighbours, too: a broadcast
 * serves as many results as there are taps.
 */
final class StemRuns {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private StemRuns() {}

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

    /** The same of ten pixels for five neighbours: 19 loads for 50 multiply-adds. */
    static void set10x1(long[] taps, long[] filters, long a, long rs, long b, long bs, long c, long ldc, long bias) {
        FloatVector c0 = FloatVector.zero(S),
                c1 = c0,
                c2 = c0,
                c3 = c0,
                c4 = c0,
                c5 = c0,
                c6 = c0,
                c7 = c0,
                c8 = c0,
                c9 = c0;
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
            FloatVector f3 = FloatVector.fromMemorySegment(S, ALL, f + bs * 3, ORDER);
            FloatVector f4 = FloatVector.fromMemorySegment(S, ALL, f + (bs << 2), ORDER);
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
            float x13 = ALL.get(FLOAT, half + r5);
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
            c0 = x.fma(f3, c0);
            c1 = x.fma(f2, c1);
            c2 = x.fma(f1, c2);
            c3 = x.fma(f0, c3);
            x = FloatVector.broadcast(S, x4);
            c0 = x.fma(f4, c0);
            c1 = x.fma(f3, c1);
            c2 = x.fma(f2, c2);
            c3 = x.fma(f1, c3);
            c4 = x.fma(f0, c4);
            x = FloatVector.broadcast(S, x5);
            c1 = x.fma(f4, c1);
            c2 = x.fma(f3, c2);
            c3 = x.fma(f2, c3);
            c4 = x.fma(f1, c4);
            c5 = x.fma(f0, c5);
            x = FloatVector.broadcast(S, x6);
            c2 = x.fma(f4, c2);
            c3 = x.fma(f3, c3);
            c4 = x.fma(f2, c4);
            c5 = x.fma(f1, c5);
            c6 = x.fma(f0, c6);
            x = FloatVector.broadcast(S, x7);
            c3 = x.fma(f4, c3);
            c4 = x.fma(f3, c4);
            c5 = x.fma(f2, c5);
            c6 = x.fma(f1, c6);
            c7 = x.fma(f0, c7);
            x = FloatVector.broadcast(S, x8);
            c4 = x.fma(f4, c4);
            c5 = x.fma(f3, c5);
            c6 = x.fma(f2, c6);
            c7 = x.fma(f1, c7);
            c8 = x.fma(f0, c8);
            x = FloatVector.broadcast(S, x9);
            c5 = x.fma(f4, c5);
            c6 = x.fma(f3, c6);
            c7 = x.fma(f2, c7);
            c8 = x.fma(f1, c8);
            c9 = x.fma(f0, c9);
            x = FloatVector.broadcast(S, x10);
            c6 = x.fma(f4, c6);
            c7 = x.fma(f3, c7);
            c8 = x.fma(f2, c8);
            c9 = x.fma(f1, c9);
            x = FloatVector.broadcast(S, x11);
            c7 = x.fma(f4, c7);
            c8 = x.fma(f3, c8);
            c9 = x.fma(f2, c9);
            x = FloatVector.broadcast(S, x12);
            c8 = x.fma(f4, c8);
            c9 = x.fma(f3, c9);
            x = FloatVector.broadcast(S, x13);
            c9 = x.fma(f4, c9);
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
    }
}
