package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * C that is at most {@link #MOST} wide or high, with the big operand contiguous along k: dot products, so that each
 * element of that operand is read once, in order, and nothing is packed. "Long" is the operand with many rows, "few" the
 * other one, and C is addressed by two strides so that one code serves both A * few and few * B transposed.
 *
 * <p>Every dot is one chain per lane over all of k, then one sum over lanes: bits depend on k and the vector width. The
 * lanes are summed as scalars from memory, because {@code reduceLanes} leaves the order open: the interpreter and C2 use
 * different ones, and results changed when a method was compiled (caught by GemmCheck on AVX2).
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
    /** Beyond four the tiles win. */
    static final int MOST = 4;
    /** Bytes of scratch for one group of eight sums. */
    static final long SCRATCH = 8L * BYTES;
    /** Rows of the long operand per task. */
    static final int TASK = 64;

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

    int tasks() {
        return (rows + TASK - 1) / TASK;
    }

    void run(int task) {
        long sums = Thread.currentThread() == caller ? own : scratch.address(SCRATCH);
        int from = task * TASK, to = Math.min(rows, from + TASK);
        for (int i = from; i < to; i += 4) {
            for (int j = 0; j < few; j += 2) {
                fourByTwo(i, to - 1, j, sums & ADDRESS);
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

    /** Rows i .. i + 3 times j, j + 1; what lies beyond the end repeats the last one and is not stored. */
    private void fourByTwo(int i, int lastRow, int j, long sums) {
        long a0 = x + i * xStride, a1 = x + Math.min(i + 1, lastRow) * xStride;
        long a2 = x + Math.min(i + 2, lastRow) * xStride, a3 = x + Math.min(i + 3, lastRow) * xStride;
        long b0 = y + j * yStride, b1 = y + Math.min(j + 1, few - 1) * yStride;
        FloatVector s00 = FloatVector.zero(S),
                s01 = s00,
                s10 = s00,
                s11 = s00,
                s20 = s00,
                s21 = s00,
                s30 = s00,
                s31 = s00;
        int whole = k - k % S.length();
        for (int p = 0; p < whole; p += S.length()) {
            FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, b0 & ADDRESS, ORDER);
            FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, b1 & ADDRESS, ORDER);
            FloatVector x0 = FloatVector.fromMemorySegment(S, ALL, a0 & ADDRESS, ORDER);
            s00 = x0.fma(y0, s00);
            s01 = x0.fma(y1, s01);
            x0 = FloatVector.fromMemorySegment(S, ALL, a1 & ADDRESS, ORDER);
            s10 = x0.fma(y0, s10);
            s11 = x0.fma(y1, s11);
            x0 = FloatVector.fromMemorySegment(S, ALL, a2 & ADDRESS, ORDER);
            s20 = x0.fma(y0, s20);
            s21 = x0.fma(y1, s21);
            x0 = FloatVector.fromMemorySegment(S, ALL, a3 & ADDRESS, ORDER);
            s30 = x0.fma(y0, s30);
            s31 = x0.fma(y1, s31);
            a0 += BYTES;
            a1 += BYTES;
            a2 += BYTES;
            a3 += BYTES;
            b0 += BYTES;
            b1 += BYTES;
        }
        s00.intoMemorySegment(ALL, sums, ORDER);
        s01.intoMemorySegment(ALL, sums + 1 * BYTES, ORDER);
        s10.intoMemorySegment(ALL, sums + 2 * BYTES, ORDER);
        s11.intoMemorySegment(ALL, sums + 3 * BYTES, ORDER);
        s20.intoMemorySegment(ALL, sums + 4 * BYTES, ORDER);
        s21.intoMemorySegment(ALL, sums + 5 * BYTES, ORDER);
        s30.intoMemorySegment(ALL, sums + 6 * BYTES, ORDER);
        s31.intoMemorySegment(ALL, sums + 7 * BYTES, ORDER);
        int rest = k - whole;
        store(i, j, sums, a0, b0, b1, rest);
        if (i + 1 <= lastRow) {
            store(i + 1, j, sums + 2 * BYTES, a1, b0, b1, rest);
        }
        if (i + 2 <= lastRow) {
            store(i + 2, j, sums + 4 * BYTES, a2, b0, b1, rest);
        }
        if (i + 3 <= lastRow) {
            store(i + 3, j, sums + 6 * BYTES, a3, b0, b1, rest);
        }
    }

    private void store(int i, int j, long sums, long a, long b0, long b1, int rest) {
        element(i, j, sums, a, b0, rest);
        if (j + 1 < few) {
            element(i, j + 1, sums + BYTES, a, b1, rest);
        }
    }

    /** Sums the lanes, adds the last products (fewer than a vector) and writes one element of C. */
    private void element(int i, int j, long sums, long a, long b, int rest) {
        float t0 = 0, t1 = 0, t2 = 0, t3 = 0;
        for (int l = 0; l < S.length(); l += 4) {
            long at = sums + l * 4L & ADDRESS;
            t0 += ALL.get(F, at);
            t1 += ALL.get(F, at + 4);
            t2 += ALL.get(F, at + 8);
            t3 += ALL.get(F, at + 12);
        }
        float sum = (t0 + t1) + (t2 + t3);
        for (int p = 0; p < rest; p++) {
            sum = Math.fma(ALL.get(F, a + p * 4L & ADDRESS), ALL.get(F, b + p * 4L & ADDRESS), sum);
        }
        long at = c + i * cLong + j * cFew & ADDRESS;
        ALL.set(F, at, beta == 0 ? alpha * sum : Math.fma(alpha, sum, beta * ALL.get(F, at)));
    }
}
