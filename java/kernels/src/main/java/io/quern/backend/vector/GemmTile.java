package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tile of C that a kernel keeps in registers, and how one is computed. {@link #WIDE} needs 10 loads for 24
 * multiply-adds where {@link #TALL} needs 10 for 16, and so suffers less from a slow cache; TALL wastes less on a narrow
 * C. The rest of a step's registers, two or four vectors of B and the broadcasts of A, must fit with room to spare,
 * because C2 lifts all loads of a step to its front.
 */
enum GemmTile {
    /** 6 x 4 vectors: 24 sums, only with 32 registers. */
    WIDE(6, 4),
    /** 8 x 3 vectors: also 24 sums, for a C of three vectors, or of a few times three where wide tiles leave some. */
    MIDDLE(8, 3),
    /** 16 x 1 vectors, for a C of one vector: what 8 sums keep waiting, 16 do not. */
    SLIM(16, 1),
    /** 8 x 2 vectors: 16 sums; with 16 registers 6 x 2. */
    TALL(Lanes.REGISTERS >= 32 ? 8 : 6, 2);

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int FEW = 4;
    /** Rows from which A passes often enough to come from a slow cache. */
    static final int LARGE = 192;
    /** Rows, and columns, from which wide tiles that read both operands in place are the faster ones. */
    private static final int IN_PLACE_ROWS = 64, IN_PLACE_COLUMNS = 128;
    /** Columns up to which a last tile of less than four vectors is a large part: whole threes are better. */
    private static final int THIRDS = 16 * Lanes.FLOATS;

    /** Bytes after which the sets of an L1 cache repeat. */
    private static final int WAY = 4096;

    /** As n: B is packed in panels of whole vectors. */
    static final long PADDED = Long.MAX_VALUE;

    private static final int ONE = Float.floatToRawIntBits(1f);
    /** Bytes from row to row of the scratch tile. */
    private static final long STRIDE = 4L * BYTES;
    /** Bytes of the scratch tile. */
    private static final int PIECE = 16 * 4 * BYTES;
    /** Bytes of scratch that {@link #full} and {@link #edge} need, and {@link GemmCode}'s argument. */
    static final int SCRATCH = PIECE + GemmCode.ARGUMENT;

    /** Rows of a tile and of a panel of A. */
    final int rows;
    /** Columns of a tile and of a panel of B. */
    final int columns;

    GemmTile(int rows, int vectors) {
        this.rows = rows;
        this.columns = vectors * Lanes.FLOATS;
    }

    /** The tile that wastes less on the borders of an m x n C; wide, where that is about equal. */
    static GemmTile of(int m, int n) {
        boolean one = n > TALL.columns && n <= MIDDLE.columns;
        boolean thirds = n % MIDDLE.columns == 0 && n % WIDE.columns != 0 && n < THIRDS;
        if (Lanes.REGISTERS >= 32 && m >= MIDDLE.rows && (one || thirds)) {
            return MIDDLE;
        }
        if (Lanes.REGISTERS >= 32 && n <= SLIM.columns && m >= SLIM.rows) {
            return SLIM;
        }
        boolean wide = Lanes.REGISTERS >= 32 && m >= LARGE && n > TALL.columns;
        return wide && WIDE.area(m, n) * 31 <= TALL.area(m, n) * 32 ? WIDE : TALL;
    }

    /**
     * The tile for a long k and operands in place, with 32 registers: three vectors where C is whole tiles of these and wide ones
     * would leave columns, or of few rows some; else wide.
     */
    static GemmTile streamed(int m, int n) {
        boolean whole = m % MIDDLE.rows == 0 && n % MIDDLE.columns == 0;
        boolean rest = n % WIDE.columns != 0 || m < IN_PLACE_ROWS && m % WIDE.rows != 0;
        return whole && rest ? MIDDLE : WIDE;
    }

    /** Whether a C of fewer rows than {@link #LARGE} is computed faster by wide tiles, if they read both operands in place. */
    static boolean isWideInPlace(int m, int n) {
        return Lanes.REGISTERS >= 32 && m >= IN_PLACE_ROWS && n >= IN_PLACE_COLUMNS && of(m, n) != MIDDLE;
    }

    /**
     * Whether a C of at most one vector of columns, A contiguous along k, is computed faster by slim tiles, which take whole vectors and
     * pack B, than by {@link GemmDots}, which add the lanes of each sum: with 512 bits, for all but few columns or a long k.
     */
    static boolean isSlimFaster(int m, int n, int k) {
        return Lanes.REGISTERS >= 32
                && Lanes.FLOATS == 16
                && m >= SLIM.rows
                && (n > 12 || n > 8 && k <= 256 && m >= 2 * SLIM.rows || n > 4 && k <= 128);
    }

    /** The tile for a B of n columns that is packed once for products of any height. */
    static GemmTile packed(int n) {
        if (Lanes.REGISTERS < 32 || n > SLIM.columns && n <= TALL.columns) {
            return TALL;
        }
        if (n <= SLIM.columns) {
            return SLIM;
        }
        return n <= MIDDLE.columns ? MIDDLE : WIDE;
    }

    /** What the tiles and edge kernels compute for an m x n C. */
    private long area(int m, int n) {
        int rest = m % rows, vectors = (n + Lanes.FLOATS - 1) / Lanes.FLOATS;
        return (m - rest + (rest == 0 ? 0L : rest <= FEW ? FEW : rows)) * vectors;
    }

    /** A full tile, straight into C. Strides are in bytes, {@code alpha} in int bits. */
    void full(
            int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha, boolean add, long scratch) {
        if (this == WIDE) {
            if (add) {
                GemmWideKernel.set6x4(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
                addTile(scratch, c, ldc, alpha);
            } else {
                GemmWideKernel.set6x4(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else if (this == MIDDLE) {
            if (add) {
                GemmEdgeKernels.set8x3(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
                for (int v = 0; v < 3; v++) {
                    merge(rows, Lanes.FLOATS, scratch + (long) v * BYTES, c + (long) v * BYTES, ldc, alpha, true);
                }
            } else {
                GemmEdgeKernels.set8x3(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else if (this == SLIM) {
            if (add) {
                GemmSlimKernel.set16x1(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
                merge(rows, Lanes.FLOATS, scratch, c, ldc, alpha, true);
            } else {
                GemmSlimKernel.set16x1(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else if (rows == 8) {
            if (add) {
                GemmKernels.add8x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmKernels.set8x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else {
            if (add) {
                GemmKernels16.add6x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmKernels16.set6x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        }
    }

    /** The 6 x 4 tile in scratch, added to C: with these accesses the kernel itself would be beyond C1's limit. */
    private static void addTile(long from, long c, long ldc, int alpha) {
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        for (int i = 0; i < WIDE.rows; i++, from += STRIDE, c += ldc) {
            from &= ADDRESS;
            c &= ADDRESS;
            FloatVector x0 = FloatVector.fromMemorySegment(S, ALL, from, ORDER),
                    x1 = FloatVector.fromMemorySegment(S, ALL, from + BYTES, ORDER),
                    x2 = FloatVector.fromMemorySegment(S, ALL, from + 2 * BYTES, ORDER),
                    x3 = FloatVector.fromMemorySegment(S, ALL, from + 3 * BYTES, ORDER);
            x0.fma(s, FloatVector.fromMemorySegment(S, ALL, c, ORDER)).intoMemorySegment(ALL, c, ORDER);
            x1.fma(s, FloatVector.fromMemorySegment(S, ALL, c + BYTES, ORDER)).intoMemorySegment(ALL, c + BYTES, ORDER);
            x2.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 2 * BYTES, ORDER))
                    .intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
            x3.fma(s, FloatVector.fromMemorySegment(S, ALL, c + 3 * BYTES, ORDER))
                    .intoMemorySegment(ALL, c + 3 * BYTES, ORDER);
        }
    }

    /**
     * Columns of the next tile, where {@code left} remain: of a B in place also three vectors, since one vector alone is
     * bound by the loads of A.
     */
    int width(int left, boolean inPlace) {
        boolean three = inPlace && rows == 8 && left > 2 * Lanes.FLOATS && left <= 3 * Lanes.FLOATS;
        return three ? left : Math.min(columns, left);
    }

    /**
     * Rows of the next tile, where {@code left} remain. An A in place is also taken in fours, where that wastes less, and
     * not sixteen rows at once where these would push each other out of L1, being a multiple of {@link #WAY} apart.
     */
    int height(int left, GemmPanels inPlace) {
        if (inPlace != null && this == WIDE && left == 2 * FEW) {
            return FEW;
        }
        boolean crowded = inPlace != null && this == SLIM && inPlace.along() % WAY == 0;
        return Math.min(crowded ? 8 : rows, left);
    }

    /** Whole tiles that {@link #height} gives first, of so many rows. */
    int whole(int m, GemmPanels inPlace) {
        boolean fours = inPlace != null && this == WIDE && m % rows == 2 && m > FEW;
        return height(rows, inPlace) < rows ? 0 : fours ? m / rows - 1 : m / rows;
    }

    /** Where {@link GemmCode}'s argument is. */
    static long argument(long scratch) {
        return scratch + PIECE;
    }

    /** Rows of the kernel that computes an edge tile of {@code height} rows. */
    int edgeRows(int height) {
        if (height == 1 && this == WIDE) {
            return 1;
        }
        return height <= FEW ? FEW : this == SLIM && height <= 8 ? 8 : rows;
    }

    /** Whether no tile of a C of m rows needs more than these of A. */
    boolean isWhole(int m) {
        return m >= rows || m == edgeRows(m);
    }

    /**
     * A tile at the border of C, up to three vectors of columns at a time. A piece that is exactly a kernel's tile goes straight
     * to C; of any other the kernel fills a tile in scratch, of which the wanted part goes to C by the same arithmetic.
     *
     * @param back rows before {@code a} at which the kernel starts, where an A in place has none behind the tile; 0 if
     *     what is behind it may be read (zero-padded panels)
     * @param column of the tile in C and B
     * @param n columns of B that may be read: a piece that would need more starts before it, where its neighbours are;
     *     {@link #PADDED} if B is packed
     */
    void edge(
            int height,
            int width,
            int back,
            int column,
            long n,
            int kc,
            long a,
            long rs,
            long cs,
            long b,
            long bs,
            long c,
            long ldc,
            int alpha,
            boolean add,
            long scratch) {
        int high = edgeRows(height);
        a -= back * rs;
        for (int j = 0, vectors; j < width; j += vectors * Lanes.FLOATS) {
            int at = column + j, left = width - j;
            vectors = vectors(high, left, n);
            int here = Math.min(left, vectors * Lanes.FLOATS);
            int over = (int) Math.max(0, (long) at + vectors * Lanes.FLOATS - n);
            long from = b + 4L * (j - over), to = c + 4L * j;
            if (!add && height == high && here == vectors * Lanes.FLOATS) {
                set(high, vectors, kc, a, rs, cs, from, bs, to, ldc, alpha);
                continue;
            }
            set(high, vectors, kc, a, rs, cs, from, bs, scratch, STRIDE, ONE);
            long tile = scratch + back * STRIDE + 4L * over;
            for (int v = 0; v < here; v += Lanes.FLOATS) {
                merge(height, Math.min(here - v, Lanes.FLOATS), tile + 4L * v, to + 4L * v, ldc, alpha, add);
            }
        }
    }

    private int vectors(int high, int left, long n) {
        if (this == WIDE && (high == 1 || left > 2 * Lanes.FLOATS) && n >= 4 * Lanes.FLOATS) {
            return 4;
        }
        return left > 2 * Lanes.FLOATS && high == 8 && n >= 3 * Lanes.FLOATS
                ? 3
                : left > Lanes.FLOATS && n >= 2 * Lanes.FLOATS ? 2 : 1;
    }

    private void set(
            int high, int vectors, int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha) {
        if (vectors == 4) {
            if (high == 1) {
                GemmFlatKernels.set1x4(kc, a, cs, b, bs, c, alpha);
            } else if (high == FEW) {
                GemmFlatKernels.set4x4(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmWideKernel.set6x4(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else if (high == 1) {
            throw new IllegalStateException("one row is done four vectors at a time, not " + vectors);
        } else if (vectors == 3) {
            GemmEdgeKernels.set8x3(kc, a, rs, cs, b, bs, c, ldc, alpha);
        } else if (vectors == 2) {
            if (high == FEW) {
                GemmEdgeKernels.set4x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else if (high == 8) {
                GemmKernels.set8x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmKernels16.set6x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else {
            if (high == FEW) {
                GemmEdgeKernels.set4x1(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else if (high == 16) {
                GemmSlimKernel.set16x1(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else if (high == 8) {
                GemmEdgeKernels.set8x1(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmEdgeKernels.set6x1(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        }
    }

    private static void merge(int rows, int columns, long from, long c, long ldc, int alpha, boolean add) {
        VectorMask<Float> some = S.indexInRange(0, columns);
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        for (int i = 0; i < rows; i++, from += STRIDE, c += ldc) {
            from &= ADDRESS;
            c &= ADDRESS;
            FloatVector x = FloatVector.fromMemorySegment(S, ALL, from, ORDER);
            x = add ? x.fma(s, FloatVector.fromMemorySegment(S, ALL, c, ORDER, some)) : x.mul(s);
            x.intoMemorySegment(ALL, c, ORDER, some);
        }
    }
}
