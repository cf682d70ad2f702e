package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
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
    private static final ValueLayout.OfLong PAIR = ValueLayout.JAVA_LONG_UNALIGNED;

    /** The rows of A; strides in elements. */
    static GemmPanels rows(long a, long rowStride, long columnStride) {
        return new GemmPanels(GemmTile.ROWS, a, rowStride * Float.BYTES, columnStride * Float.BYTES);
    }

    /** The columns of B; strides in elements. */
    static GemmPanels columns(long b, long rowStride, long columnStride) {
        return new GemmPanels(GemmTile.COLUMNS, b, columnStride * Float.BYTES, rowStride * Float.BYTES);
    }

    /** Whether a kernel may read this matrix in place: its strides must fit the 31 bits that kernels promise C2. */
    boolean readable() {
        return (along | deep) >= 0 && (along | deep) <= Integer.MAX_VALUE / 16;
    }

    /** Whether a panel of B may be read in place as vectors. */
    boolean isContiguous() {
        return along == Float.BYTES;
    }

    @Override
    public void pack(long destination, int first, int count, int k0, int kc) {
        long panel = (long) width * kc * Float.BYTES, from = base + first * along + k0 * deep;
        int whole = count / width, rest = count % width;
        if (along == Float.BYTES && width == 2 * Lanes.FLOATS) {
            copyVectors(from, deep, whole, destination, panel, kc);
        } else {
            long source = from, to = destination;
            for (int i = 0; i < whole; i++, source += width * along, to += panel) {
                if (along == Float.BYTES) {
                    copyPairs(source, deep, width / 2, to, kc);
                } else if (deep == Float.BYTES && width % 8 == 0) {
                    for (int r = 0; r < width; r += 8) {
                        GemmTranspose.eight(source + r * along, along, kc, to + r * 4L, width * 4L);
                    }
                } else {
                    strided(source, along, deep, width, width, to, kc);
                }
            }
        }
        if (rest > 0) {
            strided(from + whole * width * along, along, deep, rest, width, destination + whole * panel, kc);
        }
    }

    /** Columns of B that lie side by side. Row by row over all panels: the reads are long runs, the writes go apart. */
    private static void copyVectors(long from, long deep, int panels, long to, long panel, int kc) {
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

    /** Rows of A that lie side by side (A transposed): an even number of floats per k, two at a time. */
    private static void copyPairs(long from, long deep, int pairs, long to, int kc) {
        for (int p = 0; p < kc; p++, from += deep) {
            from &= ADDRESS;
            to &= ADDRESS;
            for (int i = 0; i < pairs; i++) {
                ALL.set(PAIR, to + i * 8L, ALL.get(PAIR, from + i * 8L));
            }
            to += pairs * 8L;
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
