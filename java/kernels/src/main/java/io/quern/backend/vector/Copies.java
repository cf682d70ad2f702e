package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Short copies and fills of floats, where a call of the runtime's copy routine would cost more than the copy. */
final class Copies {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    /** Bytes of operands beyond which they come from memory, not from a cache; only speed depends on it. */
    static final long CACHED = 16 << 20;

    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private Copies() {}

    /** Copies a multiple of 4 bytes between ranges that do not overlap. */
    static void copy(long from, long to, long bytes) {
        if (CopyCode.takes(1, bytes)) {
            CopyCode.copy(from, to, bytes);
            return;
        }
        int count = (int) (bytes / Float.BYTES);
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, from + 4L * i, Lanes.ORDER)
                    .intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER);
        }
        if (Rows.MASKS && i < count) {
            VectorMask<Float> tail = Lanes.F.indexInRange(0, count - i);
            FloatVector.fromMemorySegment(Lanes.F, ALL, from + 4L * i, Lanes.ORDER, tail)
                    .intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER, tail);
            return;
        }
        for (; i < count; i++) {
            ALL.set(FLOAT, to + 4L * i, ALL.get(FLOAT, from + 4L * i));
        }
    }

    /**
     * Copies {@code count} pieces of {@code bytes} with any two strides, each in the order of memory: a few vectors, for which a loop
     * that C2 counts and unrolls would be longer before and behind than inside.
     */
    static void pieces(long from, long stride, int count, long bytes, long to, long pitch) {
        if (CopyCode.takes(count, bytes)) {
            CopyCode.pieces(from, 0, stride, 1, count, bytes, 0, to, 0, pitch);
            return;
        }
        long whole = bytes & -Lanes.BYTES, rest = bytes - whole, one = (long) step * Lanes.BYTES, four = 4 * one;
        for (int i = 0; i < count; i++, from += stride, to += pitch) {
            from &= Lanes.ADDRESS;
            to &= Lanes.ADDRESS;
            long at = 0;
            for (; at <= whole - four; at += four) {
                at &= Lanes.OFFSET;
                FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, from + at, Lanes.ORDER);
                FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, from + at + Lanes.BYTES, Lanes.ORDER);
                FloatVector c = FloatVector.fromMemorySegment(Lanes.F, ALL, from + at + 2 * Lanes.BYTES, Lanes.ORDER);
                FloatVector d = FloatVector.fromMemorySegment(Lanes.F, ALL, from + at + 3 * Lanes.BYTES, Lanes.ORDER);
                a.intoMemorySegment(ALL, to + at, Lanes.ORDER);
                b.intoMemorySegment(ALL, to + at + Lanes.BYTES, Lanes.ORDER);
                c.intoMemorySegment(ALL, to + at + 2 * Lanes.BYTES, Lanes.ORDER);
                d.intoMemorySegment(ALL, to + at + 3 * Lanes.BYTES, Lanes.ORDER);
            }
            for (; at < whole; at += one) {
                at &= Lanes.OFFSET;
                FloatVector.fromMemorySegment(Lanes.F, ALL, from + at, Lanes.ORDER)
                        .intoMemorySegment(ALL, to + at, Lanes.ORDER);
            }
            if (rest > 0) {
                copy(from + whole, to + whole, rest);
            }
        }
    }

    /** The same of rows of pieces, each row with any two strides. */
    static void pieces(
            long from, long row, long stride, int rows, int count, long bytes, long to, long toRow, long pitch) {
        if (CopyCode.takes((long) rows * count, bytes)) {
            CopyCode.pieces(from, row, stride, rows, count, bytes, 0, to, toRow, pitch);
            return;
        }
        for (int i = 0; i < rows; i++) {
            pieces(from + i * row, stride, count, bytes, to + i * toRow, pitch);
        }
    }

    /**
     * Writes rows of {@code left + live + right} bytes: some of zeros, {@code rows} whose middle is copied, and again some of zeros.
     *
     * @param stride bytes from row to row of what is copied
     */
    static void framed(
            long from, long stride, int above, int rows, int below, long left, long live, long right, long to) {
        long wide = left + live + right, first = to + above * wide, last = first + rows * wide;
        zero(to, above * wide);
        if (CopyCode.takes(rows, wide)) {
            CopyCode.zero(first, wide, rows, left);
            CopyCode.pieces(from, stride, 0, rows, 1, live, 0, first + left, wide, 0);
            CopyCode.zero(first + left + live, wide, rows, right);
        } else {
            for (long at = first; at < last; at += wide, from += stride) {
                zero(at, left);
                copy(from, at + left, live);
                zero(at + left + live, right);
            }
        }
        zero(last, below * wide);
    }

    /** Zeroes a multiple of 4 bytes. */
    static void zero(long at, long bytes) {
        if (CopyCode.takes(1, bytes)) {
            CopyCode.zero(at, 0, 1, bytes);
            return;
        }
        FloatVector zero = FloatVector.zero(Lanes.F);
        int count = (int) (bytes / Float.BYTES);
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            zero.intoMemorySegment(ALL, at + 4L * i, Lanes.ORDER);
        }
        if (Rows.MASKS && i < count) {
            zero.intoMemorySegment(ALL, at + 4L * i, Lanes.ORDER, Lanes.F.indexInRange(0, count - i));
            return;
        }
        for (; i < count; i++) {
            ALL.set(FLOAT, at + 4L * i, 0f);
        }
    }

    /**
     * Reads a number of each cache line, but for up to four at the end, in the order of memory: the machine then reads ahead, which
     * it does not for a pass that takes a part of each pixel.
     *
     * @param mark where to write a number that depends on all that was read, so that it is read
     */
    static void fetch(long at, long bytes, long mark) {
        int sum = 0;
        for (long end = at + bytes - 4 * Lanes.LINE; at <= end; at += 4 * Lanes.LINE) {
            at &= Lanes.ADDRESS;
            sum += ALL.get(INT, at)
                    + ALL.get(INT, at + Lanes.LINE)
                    + ALL.get(INT, at + 2 * Lanes.LINE)
                    + ALL.get(INT, at + 3 * Lanes.LINE);
        }
        ALL.set(INT, mark & Lanes.ADDRESS, sum);
    }

    /** Writes rows of {@code from} with any two strides in bytes as rows of {@code width} floats, the last of them zero. */
    static void rows(long from, long rowStride, long columnStride, int rows, int columns, long to, int width) {
        long step = (long) width * Float.BYTES;
        if (columnStride == Float.BYTES) {
            if (Rows.MASKS && columns <= width && width <= Lanes.FLOATS) {
                narrow(from, rowStride, rows, columns, to, width);
                return;
            }
            for (int i = 0; i < rows; i++) {
                copy(from + i * rowStride, to + i * step, (long) columns * Float.BYTES);
                zero(to + i * step + (long) columns * Float.BYTES, (long) (width - columns) * Float.BYTES);
            }
            return;
        }
        for (int j = 0; j < width; j++) {
            long source = from + j * columnStride;
            long target = to + (long) j * Float.BYTES;
            for (int i = 0; i < rows; i++) {
                ALL.set(FLOAT, target + i * step, j < columns ? ALL.get(FLOAT, source + i * rowStride) : 0f);
            }
        }
    }

    /** Rows that fit a vector: what is not loaded is zero. */
    private static void narrow(long from, long rowStride, int rows, int columns, long to, int width) {
        VectorMask<Float> live = Lanes.F.indexInRange(0, columns);
        VectorMask<Float> all = Lanes.F.indexInRange(0, width);
        long step = (long) width * Float.BYTES;
        for (int i = 0; i < rows; i++) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, from + i * rowStride & Lanes.ADDRESS, Lanes.ORDER, live)
                    .intoMemorySegment(ALL, to + i * step & Lanes.ADDRESS, Lanes.ORDER, all);
        }
    }
}
