package io.quern.backend.vector;

/**
 * The tiles of one panel of columns after the other, of one block for one k block: {@link GemmCode}'s where there is such code,
 * with {@link GemmBorderCode}'s, else {@link GemmTile}'s. What comes from memory is asked for on the way: a tile reads and writes its rows in turn, which no
 * machine foresees (bench/lab/prefetch.md).
 *
 * @param rows, columns of the block
 * @param add to what C has
 * @param rs, cs, bs bytes from row to row of A, and from one k to the next in A and in B
 * @param panelA bytes from a tile's first row of A to the next tile's
 * @param scratch of {@link GemmTile#SCRATCH}
 * @param next what comes after the block from memory, or null
 */
record GemmSweep(
        GemmBlock block,
        int rows,
        int columns,
        int depth,
        boolean add,
        long rs,
        long cs,
        long panelA,
        long bs,
        long scratch,
        Ahead next) {
    /**
     * Where what is needed after this block begins: lines of two streams in a row.
     *
     * @param line bytes of each that a step of a tile asks for
     */
    record Ahead(long first, long second, long line) {
        /** Some steps later. */
        Ahead after(long steps) {
            return new Ahead(first + steps * line, second + steps * line, line);
        }
    }

    /** Bytes of C, and of A in place, from which they are asked for ahead: a caller has them in no near cache. A call to ask needs more. */
    private static final long FAR = 4 << 20, FAR_FOR_CALLS = Copies.CACHED;
    /** Steps of k up to which the next tile of C is asked for in time, and not too early. */
    private static final int SOON_WRITTEN = 256;
    /** Bytes of a tile of A for which a call that asks costs little beside its products. */
    private static final int MUCH = 1024;
    /** Bytes from what is read of A to what is asked for, where both are in the order of memory: into the first and the second cache. */
    static final int SOON = 4096, LATER = 32 << 10;

    /** C that is written for the first time, and is too large to be in a near cache. */
    private boolean isFarC() {
        return !add && (long) block.m() * block.n() * Float.BYTES >= FAR;
    }

    /** A in place of so many bytes that passes by once, in whole rows. */
    private boolean isFarA(long least) {
        GemmPanels a = block.directA();
        return a != null && a.isDeep() && depth == block.k() && (long) block.m() * depth * Float.BYTES >= least;
    }

    /** C that no cache would keep, nobody reads now, and whose rows begin on cache lines. */
    private boolean isStreamed() {
        long bytes = (long) block.m() * block.n() * Float.BYTES;
        return !add
                && depth == block.k()
                && block.epilogue() == null
                && StreamCode.passesBy(bytes, block.c() | block.ldc());
    }

    private boolean isOnePanel() {
        return columns <= block.shape().columns;
    }

    /** Before {@link #coded}. */
    void prepare() {
        int alpha = Float.floatToRawIntBits(block.alpha());
        GemmCode.prepare(GemmTile.argument(scratch), depth, rs, cs, panelA, bs, block.ldc(), alpha);
        if (next != null) {
            GemmCode.ahead(GemmTile.argument(scratch), next.first, next.second, next.line, 0);
        }
    }

    /**
     * Whole tiles by machine code.
     *
     * @param a, b the first row of A, the panel of B
     * @param c the block's first element
     * @param j the panel's first column in the block
     * @return rows that are done
     */
    int coded(GemmCode code, long a, long b, long c, int j, int wide) {
        GemmTile shape = block.shape();
        // B in place has no zeros beside it
        boolean whole = wide == shape.columns || block.directB() == null && wide > shape.columns - Lanes.FLOATS;
        int tiles = whole ? shape.whole(rows, block.directA()) : 0;
        if (tiles == 0) {
            return 0;
        }
        boolean gaps = rs != (long) Float.BYTES * depth, last = j + wide == columns;
        boolean asks = gaps && last && isFarA(FAR_FOR_CALLS);
        int most = (int) Math.max(1, Prefetch.MOST / ((long) Float.BYTES * depth * shape.rows));
        askAhead(!gaps && isFarA(FAR), a, last);
        GemmCode.Storing storing = isStreamed() && wide % Lanes.FLOATS == 0
                ? GemmCode.Storing.STREAM
                : add ? GemmCode.Storing.ADD : GemmCode.Storing.SET;
        for (int tile = 0, count; tile < tiles; tile += count) {
            count = code.tiles(asks ? Math.min(tiles - tile, most) : tiles - tile, depth);
            int row = tile * shape.rows;
            if (asks) {
                Prefetch.forReading(a + (row + rows) * rs, (long) Float.BYTES * depth, count * shape.rows, rs);
            }
            long to = c + row * block.ldc() + (long) Float.BYTES * j;
            code.run(GemmTile.argument(scratch), a + tile * panelA, b, to, wide, count, storing);
        }
        return tiles * shape.rows;
    }

    /** The rows from {@code from} on, and those of panels of fewer columns, by machine code. */
    void borders(int from, long a, long b, long c, int j, int wide) {
        GemmTile shape = block.shape();
        long argument = GemmTile.argument(scratch);
        int vectors = Math.ceilDiv(wide, Lanes.FLOATS);
        boolean farA = isFarA(FAR_FOR_CALLS) && shape.rows * rs >= MUCH && j + wide == columns;
        for (int i = from, count; i < rows; i += count) {
            // a panel of A holds the rows of a tile
            int inPanel = i % shape.rows, left = block.directA() == null ? shape.rows - inPanel : shape.rows;
            int high = GemmBorderCode.rows(shape.height(Math.min(rows - i, left), block.directA()), wide);
            boolean whole = high == shape.rows;
            int tiles = whole ? GemmCode.tiles(high, vectors, (rows - i) / high, depth) : 1;
            count = tiles * high;
            long at = a + i / shape.rows * panelA + inPanel * rs, next = whole ? panelA : high * rs;
            if (farA) {
                Prefetch.forReading(at + rows * rs, (long) Float.BYTES * depth, count, rs);
            }
            long to = c + i * block.ldc() + (long) Float.BYTES * j;
            GemmBorderCode.run(argument, at, next, b, to, high, wide, tiles, add);
        }
        GemmCode.next(argument, panelA);
    }

    /** @param dense A is far, and its rows have no gaps */
    private void askAhead(boolean dense, long a, boolean last) {
        int high = block.shape().rows;
        long argument = GemmTile.argument(scratch), below = isFarC() && depth <= SOON_WRITTEN ? high * block.ldc() : 0;
        if (dense) {
            long later = isOnePanel() ? LATER : last ? rows * rs : SOON;
            GemmCode.ahead(argument, a + SOON, a + later, (long) Float.BYTES * high, below);
        } else if (next != null) {
            GemmCode.below(argument, below);
        } else {
            GemmCode.ahead(argument, argument, argument, 0, below);
        }
    }

    /** By kernels in Java. */
    void plain(long a, long b, long c, int j, int wide, int col0) {
        GemmTile shape = block.shape();
        GemmPanels directA = block.directA();
        int tileRows = shape.rows, alpha = Float.floatToRawIntBits(block.alpha());
        long ldc = block.ldc(), inB = block.directB() == null ? GemmTile.PADDED : block.n();
        // a C of one panel is written in the order of memory, which the machine foresees
        boolean farC = isFarC() && !isOnePanel();
        // two panels at once: their rows are closer to each other than to those of other panels
        boolean wholeC = columns <= 2 * shape.columns;
        boolean farA = isFarA(FAR_FOR_CALLS) && tileRows * rs >= MUCH && j + wide == columns;
        long ai = a, cij = c + (long) Float.BYTES * j;
        for (int i = 0, high; i < rows; i += high, ai += high == tileRows ? panelA : high * rs, cij += high * ldc) {
            high = shape.height(rows - i, directA);
            int below = Math.min(tileRows, rows - i - high);
            if (farC && below > 0 && (j == 0 || !wholeC)) {
                Prefetch.forWriting(cij + high * ldc, 4L * (wholeC ? columns : wide), below, ldc);
            }
            if (farA) {
                // the next block's, tile by tile
                Prefetch.forReading(ai + rows * rs, (long) Float.BYTES * depth, high, rs);
            }
            if (high == tileRows && wide == shape.columns) {
                shape.full(depth, ai, rs, cs, b, bs, cij, ldc, alpha, add, scratch);
            } else {
                int back = directA == null ? 0 : shape.edgeRows(high) - high;
                shape.edge(high, wide, back, col0 + j, inB, depth, ai, rs, cs, b, bs, cij, ldc, alpha, add, scratch);
            }
        }
    }
}
