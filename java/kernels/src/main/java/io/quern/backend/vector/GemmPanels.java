package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * A strided matrix as {@link PanelSource}: the one packer for A and for B, which differ only in panel width and in which
 * of the two strides runs along k.
 *
 * @param width {@link GemmTile#ROWS} for A, {@link GemmTile#COLUMNS} for B
 * @param base address of element (0, 0)
 * @param along bytes from one row of A (column of B) to the next
 * @param deep bytes from one k to the next
 */
record GemmPanels(int width, long base, long along, long deep) implements PanelSource {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** The rows of A; strides in elements. */
    static GemmPanels rows(long a, long rowStride, long columnStride) {
        return new GemmPanels(GemmTile.ROWS, a, rowStride * Float.BYTES, columnStride * Float.BYTES);
    }

    /** The columns of B; strides in elements. */
    static GemmPanels columns(long b, long rowStride, long columnStride) {
        return new GemmPanels(GemmTile.COLUMNS, b, columnStride * Float.BYTES, rowStride * Float.BYTES);
    }

    /** Whether a kernel may read this matrix in place: its strides must fit the 31 bits that kernels promise C2. */
    boolean isReadable() {
        return (along | deep) >= 0 && (along | deep) <= Integer.MAX_VALUE / 16;
    }

    /** Rows of A or columns of B lie side by side: a panel can be copied, a panel of B also read as vectors. */
    boolean isWide() {
        return along == Float.BYTES;
    }

    /** Contiguous along k. */
    boolean isDeep() {
        return deep == Float.BYTES;
    }

    /** The first {@code count} rows or columns copied to {@code to}, each contiguous along k. */
    GemmPanels gather(int count, int k, long to) {
        if (isWide()) {
            GemmTranspose.all(base, deep, k, count, to, 4L * k);
        } else {
            for (int i = 0; i < count; i++) {
                strided(base + i * along, along, deep, 1, 1, to + 4L * i * k, k);
            }
        }
        return new GemmPanels(width, to, 4L * k, Float.BYTES);
    }

    @Override
    public void pack(long destination, int first, int count, int k0, int kc) {
        long panel = (long) width * kc * Float.BYTES, from = base + first * along + k0 * deep;
        int whole = count / width, rest = count % width;
        if (isWide() && width == 2 * Lanes.FLOATS) {
            copyColumns(from, deep, whole, destination, panel, kc);
            if (rest > 0) {
                copyLastColumns(from + whole * width * along, deep, rest, destination + whole * panel, kc);
            }
            return;
        }
        for (int i = 0; i < whole; i++, from += width * along, destination += panel) {
            if (isWide() && width == 8) {
                copyEight(from, deep, destination, kc);
            } else if (isDeep() && width % 8 == 0) {
                for (int r = 0; r < width; r += 8) {
                    GemmTranspose.eight(from + r * along, along, kc, destination + r * 4L, width * 4L);
                }
            } else {
                strided(from, along, deep, width, width, destination, kc);
            }
        }
        if (rest > 0) {
            strided(from, along, deep, rest, width, destination, kc);
        }
    }

    /** Columns of B that lie side by side. Row by row over all panels: the reads are long runs, the writes go apart. */
    private static void copyColumns(long from, long deep, int panels, long to, long panel, int kc) {
        for (int p = 0; p < kc; p++, from += deep, to += 2 * BYTES) {
            long source = from, target = to;
            for (int i = 0; i < panels; i++, source += 2 * BYTES, target += panel) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector v0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector v1 = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                v0.intoMemorySegment(ALL, target, ORDER);
                v1.intoMemorySegment(ALL, target + BYTES, ORDER);
            }
        }
    }

    /** The last columns of B, fewer than two vectors: masked, so that nothing beyond them is read. */
    private static void copyLastColumns(long from, long deep, int columns, long to, int kc) {
        VectorMask<Float> left = S.indexInRange(0, columns), right = S.indexInRange(0, columns - S.length());
        boolean both = columns > S.length();
        for (int p = 0; p < kc; p++, from += deep, to += 2 * BYTES) {
            from &= ADDRESS;
            to &= ADDRESS;
            FloatVector.fromMemorySegment(S, ALL, from, ORDER, left).intoMemorySegment(ALL, to, ORDER);
            if (both) {
                FloatVector.fromMemorySegment(S, ALL, from + BYTES, ORDER, right)
                        .intoMemorySegment(ALL, to + BYTES, ORDER);
            }
        }
    }

    /** Eight rows of A that lie side by side (A transposed): half a vector, one or two per k. */
    private static void copyEight(long from, long deep, long to, int kc) {
        if (S.length() == 16) {
            VectorMask<Float> half = S.indexInRange(0, 8);
            for (int p = 0; p < kc; p++, from += deep, to += 32) {
                from &= ADDRESS;
                to &= ADDRESS;
                FloatVector.fromMemorySegment(S, ALL, from, ORDER, half).intoMemorySegment(ALL, to, ORDER, half);
            }
        } else {
            for (int p = 0; p < kc; p++, from += deep, to += 32) {
                from &= ADDRESS;
                to &= ADDRESS;
                FloatVector.fromMemorySegment(S, ALL, from, ORDER).intoMemorySegment(ALL, to, ORDER);
                FloatVector.fromMemorySegment(S, ALL, from + 32 - BYTES, ORDER)
                        .intoMemorySegment(ALL, to + 32 - BYTES, ORDER);
            }
        }
    }

    /** Any strides, any width, zero padding. */
    private static void strided(long from, long along, long deep, int live, int width, long to, int kc) {
        long step = width * 4L;
        for (int i = 0; i < width; i++, from += along) {
            long source = from & ADDRESS;
            long target = to + i * 4L & ADDRESS;
            if (i < live) {
                for (int p = 0; p < kc; p++) {
                    ALL.set(F, target, ALL.get(F, source));
                    source = source + deep & ADDRESS;
                    target = target + step & ADDRESS;
                }
            } else {
                for (int p = 0; p < kc; p++) {
                    ALL.set(F, target, 0f);
                    target = target + step & ADDRESS;
                }
            }
        }
    }
}
