package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.util.stream.LongStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Covers a panel of result columns with register tiles: by {@link ConvCode} where there is such code, else whole ones in place and those
 * at the borders through scratch.
 */
final class ConvTile {
    /** Columns of a panel: two vectors. */
    static final int COLUMNS = 2 * Lanes.FLOATS;
    /** Columns of a panel of four vectors, where registers suffice for it. */
    static final int WIDE_COLUMNS = ConvWideTile.VECTORS * Lanes.FLOATS;
    /** Rows of the largest tile. */
    static final int MOST_ROWS = 16;
    /** Bytes of a tile, behind which the argument of machine code is. */
    private static final int PIECE = MOST_ROWS * COLUMNS * Float.BYTES;
    /** Bytes of scratch that {@link #panel} needs, a multiple of 64. */
    static final int SCRATCH = PIECE + (ConvCode.ARGUMENT + 63 & -64);

    /** The floor of results that have none. */
    static final int UNBOUNDED = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);

    private static final int FEW_ROWS = 4;
    /** Tiles of 16 sums and 18 rows of operands do not fit the 16 registers of older x86. */
    static final boolean LARGE = Lanes.REGISTERS >= 32;
    /**
     * Bits of row offsets in tiles of one vector: {@link Lanes#NEAR}; with 16 registers more, since C2 would lift the loads that
     * then need no addition, and spill sums.
     */
    static final long NARROW_OFFSETS = LARGE ? Lanes.NEAR : Lanes.OFFSET;
    /** Rows of the tiles of two vectors that cover most of a panel. */
    static final int ROWS = LARGE ? 8 : 5;

    private static final long[] WIDEST = strides(WIDE_COLUMNS);
    private static final long[] WIDE = strides(COLUMNS);
    private static final long[] NARROW = strides(Lanes.FLOATS);

    private ConvTile() {}

    private static long[] strides(int columns) {
        long[] rows = new long[MOST_ROWS];
        for (int i = 0; i < MOST_ROWS; i++) {
            rows[i] = (long) i * columns * Float.BYTES;
        }
        return rows;
    }

    /**
     * Where the operands of a set of tiles lie; offsets in bytes.
     *
     * @param taps in A
     * @param filters the row of B that each tap begins with
     * @param code the same as machine code, or null
     */
    record Walk(long[] taps, long[] filters, int kc, long cs, ConvRows rows, ConvCode code) {
        Walk(long[] taps, long[] filters, int kc, long cs, ConvRows rows) {
            this(taps, filters, kc, cs, rows, ConvCode.of(taps, filters, kc, cs, rows));
        }

        /** Of a panel, by which {@link ConvTile#askAhead} counts; 0 where nothing is asked for. */
        long steps(int wide) {
            return code == null ? 0 : code.steps(wide);
        }

        /** Taps whose rows of B follow one another. */
        Walk(long[] taps, int kc, long cs, ConvRows rows) {
            this(taps, LongStream.range(0, taps.length).map(t -> t * kc).toArray(), kc, cs, rows);
        }
    }

    /** Memory that is read soon. */
    record Stream(long at, long bytes) {
        static final Stream NONE = new Stream(0, 0);
    }

    /** Before panels that ask for nothing, as {@link #askAhead}. */
    static void askNothing(long scratch) {
        askAhead(scratch, 0, Stream.NONE, Stream.NONE);
    }

    /**
     * Before panels: what their code asks for on the way, where there is such code.
     *
     * @param scratch that of the panels
     * @param steps of all of them, by {@link Walk#steps}
     */
    static void askAhead(long scratch, long steps, Stream first, Stream second) {
        ConvCode.askAhead(scratch + PIECE, first.at, line(first, steps), second.at, line(second, steps));
    }

    private static long line(Stream stream, long steps) {
        return steps == 0 ? 0 : Math.min(Lanes.LINE, Math.ceilDiv(stream.bytes, steps));
    }

    /**
     * Computes {@code wide} columns of all rows, after {@link #askAhead} or {@link #askNothing}.
     *
     * @param wide {@link #WIDE_COLUMNS}, which only a panel that does not add may have, or up to {@link #COLUMNS}
     * @param b the panel of B: WIDE_COLUMNS, COLUMNS or, if wide fits one vector, that many floats readable every bs bytes
     * @param c address of the panel's first column in the row at offset 0
     * @param bias one panel of floats
     * @param floor int bits of the least result, {@link #UNBOUNDED} for none
     * @param scratch {@link #SCRATCH} bytes
     */
    static void panel(
            Walk walk, long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long scratch) {
        if (walk.code != null) {
            walk.code.panel(a, b, bs, c, wide, bias, floor, add, scratch + PIECE);
        } else if (wide > COLUMNS && !walk.rows.near()) {
            long half = COLUMNS * Float.BYTES;
            two(walk, a, b, bs, c, COLUMNS, bias, floor, false, scratch);
            two(walk, a, b + half, bs, c + half, COLUMNS, bias + half, floor, false, scratch);
        } else if (wide > COLUMNS) {
            four(walk, a, b, bs, c, bias, floor, scratch);
        } else if (wide > Lanes.FLOATS) {
            two(walk, a, b, bs, c, wide, bias, floor, add, scratch);
        } else {
            one(walk, a, b, bs, c, wide, bias, floor, add, scratch);
        }
    }

    private static void four(Walk walk, long a, long b, long bs, long c, long bias, int floor, long scratch) {
        long[] rows = walk.rows.sources(), results = walk.rows.results();
        int count = walk.rows.count();
        for (int i = 0; i < count; i += ConvWideTile.ROWS) {
            int left = Math.min(ConvWideTile.ROWS, count - i);
            boolean whole = left == ConvWideTile.ROWS;
            ConvWideTile.set6x4(
                    walk.taps,
                    walk.filters,
                    walk.kc,
                    walk.cs,
                    rows,
                    i,
                    a,
                    b,
                    bs,
                    whole ? results : WIDEST,
                    whole ? i : 0,
                    whole ? c : scratch,
                    bias);
            if (!whole) {
                copy(WIDEST, 0, scratch, results, i, c, left, COLUMNS);
                copy(WIDEST, 0, scratch + COLUMNS * Float.BYTES, results, i, c + COLUMNS * Float.BYTES, left, COLUMNS);
            }
            if (floor != UNBOUNDED) {
                raise(results, i, c, left, floor);
            }
        }
    }

    /** Rows of {@link #WIDE_COLUMNS} floats to at least {@code floor}. */
    private static void raise(long[] results, int from, long c, int rows, int floor) {
        FloatVector low = FloatVector.broadcast(Lanes.F, Float.intBitsToFloat(floor));
        for (int i = from; i < from + rows; i++) {
            for (long at = c + results[i], end = at + WIDE_COLUMNS * Float.BYTES; at < end; at += Lanes.BYTES) {
                FloatVector v = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
                v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, at, Lanes.ORDER);
            }
        }
    }

    private static void two(
            Walk walk, long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long scratch) {
        long[] taps = walk.taps;
        long[] filters = walk.filters;
        int kc = walk.kc;
        long cs = walk.cs;
        long[] rows = walk.rows.sources();
        long[] results = walk.rows.results();
        int count = walk.rows.count();
        boolean far = !walk.rows.near();
        for (int i = 0; i < count; ) {
            int left = count - i;
            int tile = far ? FEW_ROWS : rows(left);
            boolean whole = left >= tile && wide == COLUMNS;
            if (!whole && add) {
                copy(results, i, c, WIDE, 0, scratch, Math.min(left, tile), wide);
            }
            long to = whole ? c : scratch;
            long[] into = whole ? results : WIDE;
            int at = whole ? i : 0;
            if (tile == 8) {
                if (add) {
                    ConvTiles.add8x2(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    ConvTiles.set8x2(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            } else if (tile == 5) {
                if (add) {
                    ConvTiles16.add5x2(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    ConvTiles16.set5x2(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            } else {
                if (add) {
                    ConvTiles.add4x2(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    ConvTiles.set4x2(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            }
            if (!whole) {
                copy(WIDE, 0, scratch, results, i, c, Math.min(left, tile), wide);
            }
            i += tile;
        }
    }

    /** Of the next tile; two of four rows are less than one of five and one of four. */
    private static int rows(int left) {
        return left > FEW_ROWS && (LARGE || left == ROWS || left > 2 * FEW_ROWS) ? ROWS : FEW_ROWS;
    }

    private static void one(
            Walk walk, long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long scratch) {
        long[] taps = walk.taps;
        long[] filters = walk.filters;
        int kc = walk.kc;
        long cs = walk.cs;
        long[] rows = walk.rows.sources();
        long[] results = walk.rows.results();
        int count = walk.rows.count();
        boolean near = walk.rows.near();
        for (int i = 0; i < count; ) {
            int left = count - i;
            int tile = !near || left <= FEW_ROWS ? FEW_ROWS : LARGE && left > 8 ? 16 : 8;
            boolean whole = left >= tile && wide == Lanes.FLOATS;
            if (!whole && add) {
                copy(results, i, c, NARROW, 0, scratch, Math.min(left, tile), wide);
            }
            long to = whole ? c : scratch;
            long[] into = whole ? results : NARROW;
            int at = whole ? i : 0;
            if (tile == 16) {
                if (add) {
                    ConvNarrowTiles.add16x1(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    ConvNarrowTiles.set16x1(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            } else if (tile == 8) {
                if (add) {
                    ConvNarrowTiles.add8x1(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    ConvNarrowTiles.set8x1(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            } else {
                if (add) {
                    ConvNarrowTiles.add4x1(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    ConvNarrowTiles.set4x1(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            }
            if (!whole) {
                copy(NARROW, 0, scratch, results, i, c, Math.min(left, tile), wide);
            }
            i += tile;
        }
    }

    /**
     * The same for a depthwise convolution: {@code wide} channels, at most one vector of them, of which A and B hold a
     * whole vector.
     */
    static void depthwise(
            Walk walk, long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long scratch) {
        if (walk.code != null) {
            walk.code.depthwise(a, b, bs, c, wide, bias, floor, add, scratch + PIECE);
            return;
        }
        long[] taps = walk.taps;
        long[] filters = walk.filters;
        int kc = walk.kc;
        long cs = walk.cs;
        long[] rows = walk.rows.sources();
        long[] results = walk.rows.results();
        int count = walk.rows.count();
        boolean near = walk.rows.near();
        for (int i = 0; i < count; ) {
            int left = count - i;
            int tile = near && left > FEW_ROWS ? 8 : FEW_ROWS;
            boolean whole = left >= tile && wide == Lanes.FLOATS;
            if (!whole && add) {
                copy(results, i, c, NARROW, 0, scratch, Math.min(left, tile), wide);
            }
            long to = whole ? c : scratch;
            long[] into = whole ? results : NARROW;
            int at = whole ? i : 0;
            if (tile == 8) {
                if (add) {
                    DepthwiseTiles.add8(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    DepthwiseTiles.set8(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            } else {
                if (add) {
                    DepthwiseTiles.add4(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to);
                } else {
                    DepthwiseTiles.set4(taps, filters, kc, cs, rows, i, a, b, bs, into, at, to, bias, floor);
                }
            }
            if (!whole) {
                copy(NARROW, 0, scratch, results, i, c, Math.min(left, tile), wide);
            }
            i += tile;
        }
    }

    /** Copies rows x wide floats between two tables of rows. */
    private static void copy(
            long[] fromRows, int from, long source, long[] toRows, int to, long target, int rows, int wide) {
        int last = (wide - 1) / Lanes.FLOATS * Lanes.FLOATS;
        VectorMask<Float> live = Lanes.F.indexInRange(last, wide);
        for (int i = 0; i < rows; i++) {
            long s = source + fromRows[from + i];
            long t = target + toRows[to + i];
            if (last > 0) {
                FloatVector.fromMemorySegment(Lanes.F, ALL, s, Lanes.ORDER).intoMemorySegment(ALL, t, Lanes.ORDER);
            }
            long rest = 4L * last;
            FloatVector.fromMemorySegment(Lanes.F, ALL, s + rest, Lanes.ORDER, live)
                    .intoMemorySegment(ALL, t + rest, Lanes.ORDER, live);
        }
    }
}
