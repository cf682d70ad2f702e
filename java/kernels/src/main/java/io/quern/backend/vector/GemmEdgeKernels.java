package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The tiles of the borders of C, in the form of {@link GemmKernels}. */
final class GemmEdgeKernels {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Strides are below 2 GiB; saying so keeps row addresses non-negative, so their bounds checks fold. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1. Not final, so that C2 cannot count the loop and unroll it into spills: see {@link GemmKernels}. */
    private static int step = 1;

    private GemmEdgeKernels() {}

    static void set8x3(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S),
                c01 = c00,
                c02 = c00,
                c10 = c00,
                c11 = c00,
                c12 = c00,
                c20 = c00,
                c21 = c00,
                c22 = c00,
                c30 = c00,
                c31 = c00,
                c32 = c00,
                c40 = c00,
                c41 = c00,
                c42 = c00,
                c50 = c00,
                c51 = c00,
                c52 = c00,
                c60 = c00,
                c61 = c00,
                c62 = c00,
                c70 = c00,
                c71 = c00,
                c72 = c00;
        rs &= STRIDE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2);
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector x;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, b + 2 * BYTES, ORDER);
            // before the multiply-adds: see VectorMath on what C2 inlines
            float x0 = ALL.get(F, a);
            float x1 = ALL.get(F, a + rs);
            float x2 = ALL.get(F, a + (rs << 1));
            float x3 = ALL.get(F, a + r3);
            float x4 = ALL.get(F, a + (rs << 2));
            float x5 = ALL.get(F, a + r5);
            float x6 = ALL.get(F, a + (r3 << 1));
            float x7 = ALL.get(F, a + r7);
            x = FloatVector.broadcast(S, x0);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            x = FloatVector.broadcast(S, x1);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            x = FloatVector.broadcast(S, x2);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            x = FloatVector.broadcast(S, x3);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            x = FloatVector.broadcast(S, x4);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            c42 = x.fma(b2, c42);
            x = FloatVector.broadcast(S, x5);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            c52 = x.fma(b2, c52);
            x = FloatVector.broadcast(S, x6);
            c60 = x.fma(b0, c60);
            c61 = x.fma(b1, c61);
            c62 = x.fma(b2, c62);
            x = FloatVector.broadcast(S, x7);
            c70 = x.fma(b0, c70);
            c71 = x.fma(b1, c71);
            c72 = x.fma(b2, c72);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c01.mul(s).intoMemorySegment(ALL, c + BYTES, ORDER);
        c02.mul(s).intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c11.mul(s).intoMemorySegment(ALL, c + ldc + BYTES, ORDER);
        c12.mul(s).intoMemorySegment(ALL, c + ldc + 2 * BYTES, ORDER);
        c20.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c21.mul(s).intoMemorySegment(ALL, c + 2 * ldc + BYTES, ORDER);
        c22.mul(s).intoMemorySegment(ALL, c + 2 * ldc + 2 * BYTES, ORDER);
        c30.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c31.mul(s).intoMemorySegment(ALL, c + 3 * ldc + BYTES, ORDER);
        c32.mul(s).intoMemorySegment(ALL, c + 3 * ldc + 2 * BYTES, ORDER);
        c40.mul(s).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        c41.mul(s).intoMemorySegment(ALL, c + 4 * ldc + BYTES, ORDER);
        c42.mul(s).intoMemorySegment(ALL, c + 4 * ldc + 2 * BYTES, ORDER);
        c50.mul(s).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        c51.mul(s).intoMemorySegment(ALL, c + 5 * ldc + BYTES, ORDER);
        c52.mul(s).intoMemorySegment(ALL, c + 5 * ldc + 2 * BYTES, ORDER);
        c60.mul(s).intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        c61.mul(s).intoMemorySegment(ALL, c + 6 * ldc + BYTES, ORDER);
        c62.mul(s).intoMemorySegment(ALL, c + 6 * ldc + 2 * BYTES, ORDER);
        c70.mul(s).intoMemorySegment(ALL, c + 7 * ldc, ORDER);
        c71.mul(s).intoMemorySegment(ALL, c + 7 * ldc + BYTES, ORDER);
        c72.mul(s).intoMemorySegment(ALL, c + 7 * ldc + 2 * BYTES, ORDER);
    }

    static void set4x2(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S),
                c01 = c00,
                c10 = c00,
                c11 = c00,
                c20 = c00,
                c21 = c00,
                c30 = c00,
                c31 = c00;
        rs &= STRIDE;
        long r3 = rs * 3;
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
    }

    static void set8x1(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S),
                c10 = c00,
                c20 = c00,
                c30 = c00,
                c40 = c00,
                c50 = c00,
                c60 = c00,
                c70 = c00;
        rs &= GemmPanels.READABLE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2);
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            x = FloatVector.broadcast(S, ALL.get(F, a + rs));
            c10 = x.fma(b0, c10);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 1)));
            c20 = x.fma(b0, c20);
            x = FloatVector.broadcast(S, ALL.get(F, a + r3));
            c30 = x.fma(b0, c30);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 2)));
            c40 = x.fma(b0, c40);
            x = FloatVector.broadcast(S, ALL.get(F, a + r5));
            c50 = x.fma(b0, c50);
            x = FloatVector.broadcast(S, ALL.get(F, a + (r3 << 1)));
            c60 = x.fma(b0, c60);
            x = FloatVector.broadcast(S, ALL.get(F, a + r7));
            c70 = x.fma(b0, c70);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c20.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c30.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c40.mul(s).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        c50.mul(s).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
        c60.mul(s).intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        c70.mul(s).intoMemorySegment(ALL, c + 7 * ldc, ORDER);
    }

    static void set6x1(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S), c10 = c00, c20 = c00, c30 = c00, c40 = c00, c50 = c00;
        rs &= STRIDE;
        long r3 = rs * 3, r5 = rs * 5;
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            x = FloatVector.broadcast(S, ALL.get(F, a + rs));
            c10 = x.fma(b0, c10);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 1)));
            c20 = x.fma(b0, c20);
            x = FloatVector.broadcast(S, ALL.get(F, a + r3));
            c30 = x.fma(b0, c30);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 2)));
            c40 = x.fma(b0, c40);
            x = FloatVector.broadcast(S, ALL.get(F, a + r5));
            c50 = x.fma(b0, c50);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c20.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c30.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c40.mul(s).intoMemorySegment(ALL, c + 4 * ldc, ORDER);
        c50.mul(s).intoMemorySegment(ALL, c + 5 * ldc, ORDER);
    }

    static void set4x1(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S), c10 = c00, c20 = c00, c30 = c00;
        rs &= STRIDE;
        long r3 = rs * 3;
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector x;
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            x = FloatVector.broadcast(S, ALL.get(F, a + rs));
            c10 = x.fma(b0, c10);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 1)));
            c20 = x.fma(b0, c20);
            x = FloatVector.broadcast(S, ALL.get(F, a + r3));
            c30 = x.fma(b0, c30);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c20.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c30.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
    }
}
