package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The register-blocked kernels: C[rows][vectors] = alpha * A * B, or that added to C. One method per tile; nothing here
 * masks, checks or branches inside the k loop, and no vector leaves its method.
 *
 * <p>A is read by broadcast with any two strides ({@code rs} between rows, {@code cs} along k), so a packed panel, a
 * row-major matrix and a transposed one are the same code at the same speed: row addresses cost nothing, x86 folds
 * {@code a + 2, 4, 8 * rs} into the load. B gives whole vectors, {@code bs} apart along k.
 *
 * <p>The loop has a form that C2 compiles as written. A plain counted loop is peeled, given pre- and post-loops for the
 * bounds checks and, when its body is small, unrolled by eight into stack spills (4x2: 82 GFLOP/s counted, 214 so; 6x2
 * on 16 registers: 56 and 117). A step that C2 does not know to be 1 stops all of that; the bounds checks need no loop
 * form because masked addresses fold them. Zen 5, 246 GFLOP/s register-only FMA ceiling: 8x2 0.975, 12x2 0.98, 4x2 0.89.
 *
 * <p>Every kernel sums an element in the same order (one fused chain from zero over kc, then one fused step into C), so
 * bits do not depend on which tile computes an element. alpha comes as int bits: a float would hold a vector register
 * during the loop.
 */
final class GemmKernels {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Strides are below 2 GiB; saying so keeps row addresses non-negative, so their bounds checks fold. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1. Not final, so that C2 cannot count the loop and unroll it into spills: see the class comment. */
    private static int step = 1;

    private GemmKernels() {}

    static void set8x2(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
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
                c51 = c00,
                c60 = c00,
                c61 = c00,
                c70 = c00,
                c71 = c00;
        rs &= STRIDE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2);
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
            x = FloatVector.broadcast(S, ALL.get(F, a + (r3 << 1)));
            c60 = x.fma(b0, c60);
            c61 = x.fma(b1, c61);
            x = FloatVector.broadcast(S, ALL.get(F, a + r7));
            c70 = x.fma(b0, c70);
            c71 = x.fma(b1, c71);
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
        c60.mul(s).intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        c61.mul(s).intoMemorySegment(ALL, c + 6 * ldc + BYTES, ORDER);
        c70.mul(s).intoMemorySegment(ALL, c + 7 * ldc, ORDER);
        c71.mul(s).intoMemorySegment(ALL, c + 7 * ldc + BYTES, ORDER);
    }

    static void add8x2(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
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
                c51 = c00,
                c60 = c00,
                c61 = c00,
                c70 = c00,
                c71 = c00;
        rs &= STRIDE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2);
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
            x = FloatVector.broadcast(S, ALL.get(F, a + (r3 << 1)));
            c60 = x.fma(b0, c60);
            c61 = x.fma(b1, c61);
            x = FloatVector.broadcast(S, ALL.get(F, a + r7));
            c70 = x.fma(b0, c70);
            c71 = x.fma(b1, c71);
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
        c60.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 6 * ldc, ORDER))
                .intoMemorySegment(ALL, c + 6 * ldc, ORDER);
        c61.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 6 * ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + 6 * ldc + BYTES, ORDER);
        c70.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 7 * ldc, ORDER))
                .intoMemorySegment(ALL, c + 7 * ldc, ORDER);
        c71.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 7 * ldc + BYTES, ORDER))
                .intoMemorySegment(ALL, c + 7 * ldc + BYTES, ORDER);
    }
}
