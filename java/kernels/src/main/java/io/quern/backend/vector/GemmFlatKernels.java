package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Tiles of few rows and four vectors, for what {@link GemmWideKernel} leaves, in the form of {@link GemmKernels}. */
final class GemmFlatKernels {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Strides are below 2 GiB; saying so keeps row addresses non-negative, so their bounds checks fold. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1. Not final, so that C2 cannot count the loop and unroll it into spills: see {@link GemmKernels}. */
    private static int step = 1;

    private GemmFlatKernels() {}

    static void set4x4(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        FloatVector c00 = FloatVector.zero(S),
                c01 = c00,
                c02 = c00,
                c03 = c00,
                c10 = c00,
                c11 = c00,
                c12 = c00,
                c13 = c00,
                c20 = c00,
                c21 = c00,
                c22 = c00,
                c23 = c00,
                c30 = c00,
                c31 = c00,
                c32 = c00,
                c33 = c00;
        rs &= STRIDE;
        long r3 = rs * 3;
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector x;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, b + 2 * BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(S, ALL, b + 3 * BYTES, ORDER);
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            c03 = x.fma(b3, c03);
            x = FloatVector.broadcast(S, ALL.get(F, a + rs));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            c13 = x.fma(b3, c13);
            x = FloatVector.broadcast(S, ALL.get(F, a + (rs << 1)));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            c23 = x.fma(b3, c23);
            x = FloatVector.broadcast(S, ALL.get(F, a + r3));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            c33 = x.fma(b3, c33);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        ldc &= STRIDE;
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c01.mul(s).intoMemorySegment(ALL, c + BYTES, ORDER);
        c02.mul(s).intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
        c03.mul(s).intoMemorySegment(ALL, c + 3 * BYTES, ORDER);
        c10.mul(s).intoMemorySegment(ALL, c + ldc, ORDER);
        c11.mul(s).intoMemorySegment(ALL, c + ldc + BYTES, ORDER);
        c12.mul(s).intoMemorySegment(ALL, c + ldc + 2 * BYTES, ORDER);
        c13.mul(s).intoMemorySegment(ALL, c + ldc + 3 * BYTES, ORDER);
        c20.mul(s).intoMemorySegment(ALL, c + 2 * ldc, ORDER);
        c21.mul(s).intoMemorySegment(ALL, c + 2 * ldc + BYTES, ORDER);
        c22.mul(s).intoMemorySegment(ALL, c + 2 * ldc + 2 * BYTES, ORDER);
        c23.mul(s).intoMemorySegment(ALL, c + 2 * ldc + 3 * BYTES, ORDER);
        c30.mul(s).intoMemorySegment(ALL, c + 3 * ldc, ORDER);
        c31.mul(s).intoMemorySegment(ALL, c + 3 * ldc + BYTES, ORDER);
        c32.mul(s).intoMemorySegment(ALL, c + 3 * ldc + 2 * BYTES, ORDER);
        c33.mul(s).intoMemorySegment(ALL, c + 3 * ldc + 3 * BYTES, ORDER);
    }

    static void set1x4(int kc, long a, long cs, long b, long bs, long c, int alpha) {
        FloatVector c00 = FloatVector.zero(S), c01 = c00, c02 = c00, c03 = c00;
        for (int p = 0, one = step; p < kc; p += one) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector x;
            FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, b + 2 * BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(S, ALL, b + 3 * BYTES, ORDER);
            x = FloatVector.broadcast(S, ALL.get(F, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            c03 = x.fma(b3, c03);
            a += cs;
            b += bs;
        }
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        c &= ADDRESS;
        c00.mul(s).intoMemorySegment(ALL, c, ORDER);
        c01.mul(s).intoMemorySegment(ALL, c + BYTES, ORDER);
        c02.mul(s).intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
        c03.mul(s).intoMemorySegment(ALL, c + 3 * BYTES, ORDER);
    }
}
