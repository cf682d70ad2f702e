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
 * A strided matrix that can write itself as panels: the one packer for A and for B, which differ only in panel width and
 * in which of the two strides runs along k.
 *
 * @param base address of element (0, 0)
 * @param along bytes from one row of A (column of B) to the next
 * @param deep bytes from one k to the next
 */
record GemmPanels(long base, long along, long deep) {
    private static final VectorSpecies<Float> S = Lanes.F;
    /**
     * Bits that a stride may have to be read in place. A kernel that masks it with them lets C2 prove that row addresses
     * are not negative, so their bounds checks fold, and that up to seven strides are an int, which it takes into the
     * load's address and needs no instruction for. Seven is 3 + 4: of 8 - 1, C2 does not know the sign.
     */
    static final long READABLE = Integer.MAX_VALUE / 16;

    private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
    private static final VectorSpecies<Float> EIGHT = Lanes.FLOATS < 8 ? FOUR : FloatVector.SPECIES_256;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** The rows of A; strides in elements. */
    static GemmPanels rows(long a, long rowStride, long columnStride) {
        return new GemmPanels(a, rowStride * Float.BYTES, columnStride * Float.BYTES);
    }

    /** The columns of B; strides in elements. */
    static GemmPanels columns(long b, long rowStride, long columnStride) {
        return new GemmPanels(b, columnStride * Float.BYTES, rowStride * Float.BYTES);
    }

    /** Whether a kernel may read this matrix in place: its strides must fit the 27 bits that kernels promise C2. */
    boolean isReadable() {
        return (along | deep) >= 0 && (along | deep) <= READABLE;
    }

    /** Rows of A or columns of B lie side by side: a panel can be copied, a panel of B also read as vectors. */
    boolean isWide() {
        return along == Float.BYTES;
    }

    /** Contiguous along k. */
    boolean isDeep() {
        return deep == Float.BYTES;
    }

    /** What begins with element k. */
    GemmPanels from(int k) {
        return new GemmPanels(base + k * deep, along, deep);
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
        return new GemmPanels(to, 4L * k, Float.BYTES);
    }

    /**
     * Writes rows (of A) or columns (of B) {@code first .. first + count} for {@code k0 .. k0 + kc} as consecutive
     * panels: element (i, p) of a panel lies at {@code (p * width + i) * 4} bytes, panels are {@code width * kc * 4}
     * bytes apart. A short last panel is filled with zeros; of a wide one only the vectors that hold something are
     * written.
     *
     * @param destination address, best a whole cache line's
     * @param width of a panel: {@link GemmTile#rows} or {@link GemmTile#columns}
     * @param first a multiple of the panel width
     */
    void pack(long destination, int width, int first, int count, int k0, int kc) {
        long panel = (long) width * kc * Float.BYTES, from = base + first * along + k0 * deep;
        int whole = count / width, rest = count % width;
        if (isWide() && CopyCode.works() && width % Lanes.FLOATS == 0) {
            long piece = 4L * width;
            CopyCode.pieces(from, deep, piece, kc, whole, piece, 0, destination, piece, panel);
            if (rest > 0) {
                long left = from + whole * piece, empty = -4L * rest & Lanes.BYTES - 1;
                CopyCode.pieces(left, deep, 0, kc, 1, 4L * rest, empty, destination + whole * panel, piece, 0);
            }
            return;
        }
        if (isWide() && (width % (2 * Lanes.FLOATS) == 0 || width == 3 * Lanes.FLOATS)) {
            if (width == 2 * Lanes.FLOATS) {
                copyTwo(from, deep, whole, destination, panel, kc);
            } else if (width == 3 * Lanes.FLOATS) {
                copyThree(from, deep, whole, destination, panel, kc);
            } else {
                copyFour(from, deep, whole, destination, panel, kc);
            }
            for (int i = 0; i < rest; i += Lanes.FLOATS) {
                long left = from + whole * width * along + 4L * i, to = destination + whole * panel + 4L * i;
                copyMasked(left, deep, Math.min(Lanes.FLOATS, rest - i), to, width, kc);
            }
            return;
        }
        for (int i = 0; i < whole; i++, from += width * along, destination += panel) {
            if (isWide() && width == 6) {
                copySix(from, deep, destination, kc);
            } else if (isWide() && width == 8) {
                copyEight(from, deep, destination, kc);
            } else if (isWide() && width == Lanes.FLOATS) {
                copyMasked(from, deep, width, destination, width, kc);
            } else if (isDeep() && width % 8 == 0) {
                GemmTranspose.all(from, along, width, kc, destination, width * 4L);
            } else {
                strided(from, along, deep, width, width, destination, kc);
            }
        }
        if (rest > 0 && isWide() && width == Lanes.FLOATS) {
            copyMasked(from, deep, rest, destination, width, kc);
        } else if (rest > 0 && isDeep() && (width == Lanes.FLOATS || TransposeCode.works())) {
            Copies.zero(destination, panel);
            GemmTranspose.all(from, along, rest, kc, destination, 4L * width);
        } else if (rest > 0) {
            strided(from, along, deep, rest, width, destination, kc);
        }
    }

    /** Columns of B that lie side by side. Row by row over all panels: the reads are long runs, the writes go apart. */
    private static void copyTwo(long from, long deep, int panels, long to, long panel, int kc) {
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

    private static void copyThree(long from, long deep, int panels, long to, long panel, int kc) {
        for (int p = 0; p < kc; p++, from += deep, to += 3 * BYTES) {
            long source = from, target = to;
            for (int i = 0; i < panels; i++, source += 3 * BYTES, target += panel) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector v0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector v1 = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector v2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                v0.intoMemorySegment(ALL, target, ORDER);
                v1.intoMemorySegment(ALL, target + BYTES, ORDER);
                v2.intoMemorySegment(ALL, target + 2 * BYTES, ORDER);
            }
        }
    }

    private static void copyFour(long from, long deep, int panels, long to, long panel, int kc) {
        for (int p = 0; p < kc; p++, from += deep, to += 4 * BYTES) {
            long source = from, target = to;
            for (int i = 0; i < panels; i++, source += 4 * BYTES, target += panel) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector v0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector v1 = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector v2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector v3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                v0.intoMemorySegment(ALL, target, ORDER);
                v1.intoMemorySegment(ALL, target + BYTES, ORDER);
                v2.intoMemorySegment(ALL, target + 2 * BYTES, ORDER);
                v3.intoMemorySegment(ALL, target + 3 * BYTES, ORDER);
            }
        }
    }

    /** The first lanes of a vector, zeros in the rest: nothing beyond them is read. */
    private static void copyMasked(long from, long deep, int live, long to, int width, int kc) {
        VectorMask<Float> in = S.indexInRange(0, live);
        long step = 4L * width;
        for (int p = 0; p < kc; p++, from += deep, to += step) {
            from &= ADDRESS;
            to &= ADDRESS;
            FloatVector.fromMemorySegment(S, ALL, from, ORDER, in).intoMemorySegment(ALL, to, ORDER);
        }
    }

    /** Six rows of A that lie side by side (A transposed): two vectors that overlap, since masked stores are slow. */
    private static void copySix(long from, long deep, long to, int kc) {
        for (int p = 0; p < kc; p++, from += deep, to += 24) {
            from &= ADDRESS;
            to &= ADDRESS;
            FloatVector low = FloatVector.fromMemorySegment(FOUR, ALL, from, ORDER),
                    high = FloatVector.fromMemorySegment(FOUR, ALL, from + 8, ORDER);
            low.intoMemorySegment(ALL, to, ORDER);
            high.intoMemorySegment(ALL, to + 8, ORDER);
        }
    }

    private static void copyEight(long from, long deep, long to, int kc) {
        for (int p = 0; p < kc; p++, from += deep, to += 32) {
            from &= ADDRESS;
            to &= ADDRESS;
            FloatVector.fromMemorySegment(EIGHT, ALL, from, ORDER).intoMemorySegment(ALL, to, ORDER);
            if (EIGHT.length() == 4) {
                FloatVector.fromMemorySegment(EIGHT, ALL, from + 16, ORDER).intoMemorySegment(ALL, to + 16, ORDER);
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
