package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * C that is at most {@link #MOST} wide or high, with the big operand contiguous along k: dot products, so that each
 * element of that operand is read once, in order, and nothing is packed. "Long" is the operand with many rows, "few" the
 * other one, and C is addressed by two strides so that one code serves both A * few and few * B transposed.
 *
 * <p>Every dot is one chain per lane over the whole vectors of k, one tree over lanes, then what is left of k: bits depend
 * on k and the vector width alone. A masked vector for the rest was more than C1 can compile in one method. The
 * lanes are summed by shuffles, sixteen dots at once; {@code reduceLanes} leaves the order open: the interpreter and C2
 * use different ones, and results changed when a method was compiled.
 */
record GemmDots(
        int rows,
        int few,
        int k,
        float alpha,
        long x,
        long xStride,
        long y,
        long yStride,
        float beta,
        long c,
        long cLong,
        long cFew,
        Epilogue epilogue,
        boolean tall,
        Scratch scratch,
        Thread caller,
        long own) {
    /** Beyond that many the tiles win, and before that where {@link GemmTile#isSlimFaster}. */
    static final int MOST = 16;
    /** The same where the few rows must be gathered first. */
    static final int MOST_GATHERED = 8;
    /** Elements of more than four few rows beyond which they do not stay in L1, 48 KiB, from one group to the next. */
    static final int MOST_ELEMENTS = 10 << 10;
    /** Bytes of scratch for one group of sixteen sums. */
    static final long SCRATCH = 16L * BYTES;
    /** Rows of the long operand per task. */
    static final int TASK = 64;

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final VectorSpecies<Integer> I = Lanes.I;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Every other lane of two vectors. */
    private static final IntVector EVEN = IntVector.zero(I).addIndex(2), ODD = EVEN.add(1);
    /** Always 1. Not final, so that C2 cannot count the loop and unroll it into spills: see {@link GemmKernels}. */
    private static int step = 1;

    int tasks() {
        return (rows + TASK - 1) / TASK;
    }

    void run(int task) {
        long sums = (Thread.currentThread() == caller ? own : scratch.address(SCRATCH)) & ADDRESS;
        int from = task * TASK, to = Math.min(rows, from + TASK), wide = few <= 2 ? 2 : 4, i = from;
        for (; few == 1 && i + 16 <= to; i += 16) {
            eightByOne(k, x + i * xStride, xStride, y, sums);
            eightByOne(k, x + (i + 8) * xStride, xStride, y, sums + 8L * BYTES);
            addLanes(sums, 16);
            if (beta == 0 && cLong == Float.BYTES && k % Lanes.FLOATS == 0) {
                for (int r = 0; r < 16; r += Lanes.FLOATS) {
                    Floats.store(
                            c + 4L * (i + r) & ADDRESS,
                            Floats.load(sums + 4L * r).mul(alpha));
                }
            } else {
                store(i, 16, 0, 1, 1, sums);
            }
        }
        for (; i < to; i += 4) {
            for (int j = 0; j < few; j += wide) {
                group(i, to - i, j, wide, sums);
            }
        }
        if (epilogue != null) {
            if (tall) {
                epilogue.apply(c + from * cLong, cLong, from, to - from, 0, few);
            } else {
                epilogue.apply(c + from * cLong, cFew, 0, few, from, to - from);
            }
        }
    }

    /** Four long rows times two or four others; what lies beyond the end repeats the last one and is not stored. */
    private void group(int i, int left, int j, int wide, long sums) {
        long a0 = x + i * xStride, a1 = a0 + Math.min(1, left - 1) * xStride;
        long a2 = a0 + Math.min(2, left - 1) * xStride, a3 = a0 + Math.min(3, left - 1) * xStride;
        int last = few - 1 - j;
        long b0 = y + j * yStride, b1 = b0 + Math.min(1, last) * yStride;
        if (wide == 2) {
            fourByTwo(k, a0, a1, a2, a3, b0, b1, sums);
        } else {
            long b2 = b0 + Math.min(2, last) * yStride, b3 = b0 + Math.min(3, last) * yStride;
            fourByFour(k, a0, a1, a2, a3, b0, b1, b2, b3, sums);
        }
        addLanes(sums, 4 * wide);
        store(i, Math.min(4, left), j, Math.min(wide, last + 1), wide, sums);
    }

    /** From a group's sums, {@code wide} of each long row, to C. */
    private void store(int i, int high, int j, int live, int wide, long sums) {
        for (int r = 0; r < high; r++) {
            for (int q = 0; q < live; q++) {
                long at = c + (i + r) * cLong + (j + q) * cFew & ADDRESS;
                float sum = ALL.get(F, sums + 4L * (r * wide + q));
                long u = x + (i + r) * xStride, v = y + (j + q) * yStride;
                for (int p = Floats.whole(k); p < k; p++) {
                    sum = Math.fma(ALL.get(F, u + 4L * p & ADDRESS), ALL.get(F, v + 4L * p & ADDRESS), sum);
                }
                ALL.set(F, at, beta == 0 ? alpha * sum : Math.fma(alpha, sum, beta * ALL.get(F, at)));
            }
        }
    }

    /** The sum of the lanes of each of {@code count} vectors, as consecutive floats. */
    private static void addLanes(long sums, int count) {
        for (int lanes = Lanes.FLOATS; lanes > 1; lanes >>= 1, count = (count + 1) >> 1) {
            for (int i = 0; i < count; i += 2) {
                long from = sums + (long) i * BYTES & ADDRESS, to = sums + (long) (i >> 1) * BYTES & ADDRESS;
                IntVector u = IntVector.fromMemorySegment(I, ALL, from, ORDER);
                IntVector v = IntVector.fromMemorySegment(I, ALL, from + BYTES, ORDER);
                EVEN.selectFrom(u, v)
                        .reinterpretAsFloats()
                        .add(ODD.selectFrom(u, v).reinterpretAsFloats())
                        .intoMemorySegment(ALL, to, ORDER);
            }
        }
    }

    /** A matrix times a vector: eight chains for nine loads. */
    private static void eightByOne(int k, long a, long stride, long b, long sums) {
        FloatVector s0 = FloatVector.zero(S), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        stride &= GemmPanels.READABLE;
        long r3 = stride * 3, r5 = stride * 5, r7 = r3 + (stride << 2);
        int whole = k - k % S.length();
        for (int p = 0, vector = step * S.length(); p < whole; p += vector) {
            a &= ADDRESS;
            b &= ADDRESS;
            FloatVector v = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            s0 = FloatVector.fromMemorySegment(S, ALL, a, ORDER).fma(v, s0);
            s1 = FloatVector.fromMemorySegment(S, ALL, a + stride, ORDER).fma(v, s1);
            s2 = FloatVector.fromMemorySegment(S, ALL, a + (stride << 1), ORDER).fma(v, s2);
            s3 = FloatVector.fromMemorySegment(S, ALL, a + r3, ORDER).fma(v, s3);
            s4 = FloatVector.fromMemorySegment(S, ALL, a + (stride << 2), ORDER).fma(v, s4);
            s5 = FloatVector.fromMemorySegment(S, ALL, a + r5, ORDER).fma(v, s5);
            s6 = FloatVector.fromMemorySegment(S, ALL, a + (r3 << 1), ORDER).fma(v, s6);
            s7 = FloatVector.fromMemorySegment(S, ALL, a + r7, ORDER).fma(v, s7);
            a += BYTES;
            b += BYTES;
        }
        sums &= ADDRESS;
        s0.intoMemorySegment(ALL, sums + 0 * BYTES, ORDER);
        s1.intoMemorySegment(ALL, sums + 1 * BYTES, ORDER);
        s2.intoMemorySegment(ALL, sums + 2 * BYTES, ORDER);
        s3.intoMemorySegment(ALL, sums + 3 * BYTES, ORDER);
        s4.intoMemorySegment(ALL, sums + 4 * BYTES, ORDER);
        s5.intoMemorySegment(ALL, sums + 5 * BYTES, ORDER);
        s6.intoMemorySegment(ALL, sums + 6 * BYTES, ORDER);
        s7.intoMemorySegment(ALL, sums + 7 * BYTES, ORDER);
    }

    private static void fourByTwo(int k, long a0, long a1, long a2, long a3, long b0, long b1, long sums) {
        FloatVector s00 = FloatVector.zero(S),
                s01 = s00,
                s10 = s00,
                s11 = s00,
                s20 = s00,
                s21 = s00,
                s30 = s00,
                s31 = s00;
        FloatVector v, y0, y1;
        a0 &= ADDRESS;
        a1 &= ADDRESS;
        a2 &= ADDRESS;
        a3 &= ADDRESS;
        b0 &= ADDRESS;
        b1 &= ADDRESS;
        int whole = k - k % S.length();
        for (int p = 0, vector = step * S.length(); p < whole; p += vector) {
            long at = 4L * (p & Integer.MAX_VALUE);
            y0 = FloatVector.fromMemorySegment(S, ALL, b0 + at, ORDER);
            y1 = FloatVector.fromMemorySegment(S, ALL, b1 + at, ORDER);
            v = FloatVector.fromMemorySegment(S, ALL, a0 + at, ORDER);
            s00 = v.fma(y0, s00);
            s01 = v.fma(y1, s01);
            v = FloatVector.fromMemorySegment(S, ALL, a1 + at, ORDER);
            s10 = v.fma(y0, s10);
            s11 = v.fma(y1, s11);
            v = FloatVector.fromMemorySegment(S, ALL, a2 + at, ORDER);
            s20 = v.fma(y0, s20);
            s21 = v.fma(y1, s21);
            v = FloatVector.fromMemorySegment(S, ALL, a3 + at, ORDER);
            s30 = v.fma(y0, s30);
            s31 = v.fma(y1, s31);
        }
        s00.intoMemorySegment(ALL, sums + 0 * BYTES, ORDER);
        s01.intoMemorySegment(ALL, sums + 1 * BYTES, ORDER);
        s10.intoMemorySegment(ALL, sums + 2 * BYTES, ORDER);
        s11.intoMemorySegment(ALL, sums + 3 * BYTES, ORDER);
        s20.intoMemorySegment(ALL, sums + 4 * BYTES, ORDER);
        s21.intoMemorySegment(ALL, sums + 5 * BYTES, ORDER);
        s30.intoMemorySegment(ALL, sums + 6 * BYTES, ORDER);
        s31.intoMemorySegment(ALL, sums + 7 * BYTES, ORDER);
    }

    private static void fourByFour(
            int k, long a0, long a1, long a2, long a3, long b0, long b1, long b2, long b3, long sums) {
        FloatVector s00 = FloatVector.zero(S),
                s01 = s00,
                s02 = s00,
                s03 = s00,
                s10 = s00,
                s11 = s00,
                s12 = s00,
                s13 = s00,
                s20 = s00,
                s21 = s00,
                s22 = s00,
                s23 = s00,
                s30 = s00,
                s31 = s00,
                s32 = s00,
                s33 = s00;
        FloatVector v, y0, y1, y2, y3;
        a0 &= ADDRESS;
        a1 &= ADDRESS;
        a2 &= ADDRESS;
        a3 &= ADDRESS;
        b0 &= ADDRESS;
        b1 &= ADDRESS;
        b2 &= ADDRESS;
        b3 &= ADDRESS;
        int whole = k - k % S.length();
        for (int p = 0, vector = step * S.length(); p < whole; p += vector) {
            long at = 4L * (p & Integer.MAX_VALUE);
            y0 = FloatVector.fromMemorySegment(S, ALL, b0 + at, ORDER);
            y1 = FloatVector.fromMemorySegment(S, ALL, b1 + at, ORDER);
            y2 = FloatVector.fromMemorySegment(S, ALL, b2 + at, ORDER);
            y3 = FloatVector.fromMemorySegment(S, ALL, b3 + at, ORDER);
            v = FloatVector.fromMemorySegment(S, ALL, a0 + at, ORDER);
            s00 = v.fma(y0, s00);
            s01 = v.fma(y1, s01);
            s02 = v.fma(y2, s02);
            s03 = v.fma(y3, s03);
            v = FloatVector.fromMemorySegment(S, ALL, a1 + at, ORDER);
            s10 = v.fma(y0, s10);
            s11 = v.fma(y1, s11);
            s12 = v.fma(y2, s12);
            s13 = v.fma(y3, s13);
            v = FloatVector.fromMemorySegment(S, ALL, a2 + at, ORDER);
            s20 = v.fma(y0, s20);
            s21 = v.fma(y1, s21);
            s22 = v.fma(y2, s22);
            s23 = v.fma(y3, s23);
            v = FloatVector.fromMemorySegment(S, ALL, a3 + at, ORDER);
            s30 = v.fma(y0, s30);
            s31 = v.fma(y1, s31);
            s32 = v.fma(y2, s32);
            s33 = v.fma(y3, s33);
        }
        s00.intoMemorySegment(ALL, sums + 0 * BYTES, ORDER);
        s01.intoMemorySegment(ALL, sums + 1 * BYTES, ORDER);
        s02.intoMemorySegment(ALL, sums + 2 * BYTES, ORDER);
        s03.intoMemorySegment(ALL, sums + 3 * BYTES, ORDER);
        s10.intoMemorySegment(ALL, sums + 4 * BYTES, ORDER);
        s11.intoMemorySegment(ALL, sums + 5 * BYTES, ORDER);
        s12.intoMemorySegment(ALL, sums + 6 * BYTES, ORDER);
        s13.intoMemorySegment(ALL, sums + 7 * BYTES, ORDER);
        s20.intoMemorySegment(ALL, sums + 8 * BYTES, ORDER);
        s21.intoMemorySegment(ALL, sums + 9 * BYTES, ORDER);
        s22.intoMemorySegment(ALL, sums + 10 * BYTES, ORDER);
        s23.intoMemorySegment(ALL, sums + 11 * BYTES, ORDER);
        s30.intoMemorySegment(ALL, sums + 12 * BYTES, ORDER);
        s31.intoMemorySegment(ALL, sums + 13 * BYTES, ORDER);
        s32.intoMemorySegment(ALL, sums + 14 * BYTES, ORDER);
        s33.intoMemorySegment(ALL, sums + 15 * BYTES, ORDER);
    }
}
