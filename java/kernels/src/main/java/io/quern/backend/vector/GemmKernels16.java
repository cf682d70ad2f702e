package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The tile of machines with 16 vector registers, in the form of {@link GemmKernels}. */
final class GemmKernels16 {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Strides are below 2 GiB; saying so keeps row addresses non-negative, so their bounds checks fold. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1. Not final, so that C2 cannot count the loop and unroll it into spills: see {@link GemmKernels}. */
    private static int step = 1;

    private GemmKernels16() {}

    static void set6x2(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S),
                c01 = c00,
                c10 = c00,
                c11 = c00,
                c20 = c00,
                c21 = c00,
                c30 = c00,
                c31 = c00,
                c40 = c00,
                c41 = c00,
                c50 = c00,
                c51 = c00;
        rs &= STRIDE;
        long r3 = rs * 3, r5 = rs * 5;
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER),
                    b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(S, ALL.get(F, a + rs));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 1)));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(S, ALL.get(F, a + r3));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 2)));
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            x = FloatVector.broadcast(S, ALL.get(F, a + r5));
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c01.mul(s).intoMemorySegment(ALL, c + BYTES, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c11.mul(s).intoMemorySegment(ALL, c + ldc + BYTES, ORDER);
        c20.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c21.mul(s).intoMemorySegment(ALL, c + 2 * ldc + BYTES, ORDER);
        c30.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c31.mul(s).intoMemorySegment(ALL, c + 3 * ldc + BYTES, ORDER);
        c40.mul(s).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        c41.mul(s).intoMemorySegment(ALL, c + 4 * ldc + BYTES, ORDER);
        c50.mul(s).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        c51.mul(s).intoMemorySegment(ALL, c + 5 * ldc + BYTES, ORDER);
    }

    static void add6x2(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S),
                c01 = c00,
                c10 = c00,
                c11 = c00,
                c20 = c00,
                c21 = c00,
                c30 = c00,
                c31 = c00,
                c40 = c00,
                c41 = c00,
                c50 = c00,
                c51 = c00;
        rs &= STRIDE;
        long r3 = rs * 3, r5 = rs * 5;
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER),
                    b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(S, ALL.get(F, a + rs));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 1)));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(S, ALL.get(F, a + r3));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 2)));
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            x = FloatVector.broadcast(S, ALL.get(F, a + r5));
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.fma(s, FloatVector.fromMemorySegment(S, ALL, c, ORDER)).intoMemorySegment(ALL, c, ORDER);
        c01.fma(s, FloatVector.fromMemorySegment(S, ALL, c + BYTES, ORDER)).intoMemorySegment(ALL, c + BYTES, ORDER);
        c10.fma(s, FloatVector.fromMemorySegment(S, ALL, c + ldc, ORDER)).intoMemorySegment(ALL, c + ldc, ORDER);
        c11.fma(s, FloatVector.fromMemorySegment(S, ALL, c + ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + ldc + BYTES, ORDER);
        c20.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 2 * ldc, ORDER))
                .intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c21.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 2 * ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + 2 * ldc + BYTES, ORDER);
        c30.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 3 * ldc, ORDER))
                .intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c31.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 3 * ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + 3 * ldc + BYTES, ORDER);
        c40.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 4 * ldc, ORDER))
                .intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        c41.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 4 * ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + 4 * ldc + BYTES, ORDER);
        c50.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 5 * ldc, ORDER))
                .intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        c51.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 5 * ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + 5 * ldc + BYTES, ORDER);
    }
}
