package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The tile of a C of one vector of columns, in the form of {@link GemmKernels}. */
final class GemmSlimKernel {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Strides are below 2 GiB; saying so keeps row addresses non-negative, so their bounds checks fold. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1. Not final, so that C2 cannot count the loop and unroll it into spills: see {@link GemmKernels}. */
    private static int step = 1;

    private GemmSlimKernel() {}

    static void set16x1(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
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
                c10 = c0,
                c11 = c0,
                c12 = c0,
                c13 = c0,
                c14 = c0,
                c15 = c0;
        rs &= GemmPanels.READABLE;
        // a second base: sixteen row addresses from one would need more registers than there are
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2), half = a + (rs << 3);
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            half &= ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            // before the multiply-adds: see VectorMath on what C2 inlines
            float x0 = ALL.get(F, a);
            float x1 = ALL.get(F, a + rs);
            float x2 = ALL.get(F, a + (rs << 1));
            float x3 = ALL.get(F, a + r3);
            float x4 = ALL.get(F, a + (rs << 2));
            float x5 = ALL.get(F, a + r5);
            float x6 = ALL.get(F, a + (r3 << 1));
            float x7 = ALL.get(F, a + r7);
            float x8 = ALL.get(F, half);
            float x9 = ALL.get(F, half + rs);
            float x10 = ALL.get(F, half + (rs << 1));
            float x11 = ALL.get(F, half + r3);
            float x12 = ALL.get(F, half + (rs << 2));
            float x13 = ALL.get(F, half + r5);
            float x14 = ALL.get(F, half + (r3 << 1));
            float x15 = ALL.get(F, half + r7);
            c0 = FloatVector.broadcast(S, x0).fma(b0, c0);
            c1 = FloatVector.broadcast(S, x1).fma(b0, c1);
            c2 = FloatVector.broadcast(S, x2).fma(b0, c2);
            c3 = FloatVector.broadcast(S, x3).fma(b0, c3);
            c4 = FloatVector.broadcast(S, x4).fma(b0, c4);
            c5 = FloatVector.broadcast(S, x5).fma(b0, c5);
            c6 = FloatVector.broadcast(S, x6).fma(b0, c6);
            c7 = FloatVector.broadcast(S, x7).fma(b0, c7);
            c8 = FloatVector.broadcast(S, x8).fma(b0, c8);
            c9 = FloatVector.broadcast(S, x9).fma(b0, c9);
            c10 = FloatVector.broadcast(S, x10).fma(b0, c10);
            c11 = FloatVector.broadcast(S, x11).fma(b0, c11);
            c12 = FloatVector.broadcast(S, x12).fma(b0, c12);
            c13 = FloatVector.broadcast(S, x13).fma(b0, c13);
            c14 = FloatVector.broadcast(S, x14).fma(b0, c14);
            c15 = FloatVector.broadcast(S, x15).fma(b0, c15);
            a += cs;
            half += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c0.mul(s).intoMemorySegment(ALL, c, ORDER);
        c1.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c2.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c3.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c4.mul(s).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        c5.mul(s).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        c6.mul(s).intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        c7.mul(s).intoMemorySegment(ALL, c + 7 * ldc, ORDER);
        c8.mul(s).intoMemorySegment(ALL, c + 8 * ldc, ORDER);
        c9.mul(s).intoMemorySegment(ALL, c + 9 * ldc, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + 10 * ldc, ORDER);
        c11.mul(s).intoMemorySegment(ALL, c + 11 * ldc, ORDER);
        c12.mul(s).intoMemorySegment(ALL, c + 12 * ldc, ORDER);
        c13.mul(s).intoMemorySegment(ALL, c + 13 * ldc, ORDER);
        c14.mul(s).intoMemorySegment(ALL, c + 14 * ldc, ORDER);
        c15.mul(s).intoMemorySegment(ALL, c + 15 * ldc, ORDER);
    }
}
