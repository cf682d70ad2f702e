package io.quern.backend.vector;

/**
 * How C is cut into blocks, one task each.
 *
 * @param rows of a block, whole tiles; the last one may have fewer
 * @param columns likewise
 */
record GemmGrid(int rows, int columns) {
    /** A block of C with the block of A and the panels of B that pass it takes 3/4 of a 1 MiB L2. */
    static final int ROWS_L2 = 256, COLUMNS_L2 = 256;

    /** Blocks that a thread should find, at least, and at most where C is cut smaller for the threads' sake. */
    private static final int FEWEST = 2, MOST = 8;
    /** What a block costs beside its elements, as rows and columns. */
    private static final int BORDER = 4;

    /** Blocks of at most {@link #ROWS_L2} x {@link #COLUMNS_L2}, such that the threads end together. */
    static GemmGrid of(int m, int n, GemmTile tile, int threads) {
        int down = ceil(m, ROWS_L2), across = ceil(n, COLUMNS_L2);
        if (threads == 1) {
            return cut(m, n, tile, down, across);
        }
        GemmGrid best = null;
        long least = Long.MAX_VALUE;
        int widest = Math.max(across, Math.min(ceil(n, tile.columns), MOST * threads / down));
        for (int a = across; a <= widest; a++) {
            int first = Math.max(down, ceil(FEWEST * threads, a));
            int last = Math.max(first, Math.min(MOST * threads / a, ceil(m, tile.rows)));
            for (int d = first; d <= last; d++) {
                GemmGrid grid = cut(m, n, tile, d, a);
                long time = grid.time(m, n, threads);
                if (time < least) {
                    best = grid;
                    least = time;
                }
            }
        }
        return best;
    }

    private static GemmGrid cut(int m, int n, GemmTile tile, int down, int across) {
        return new GemmGrid(up(ceil(m, down), tile.rows), up(ceil(n, across), tile.columns));
    }

    /** Of the thread with the most blocks, were all of them whole. */
    private long time(int m, int n, int threads) {
        return (long) ceil(ceil(m, rows) * ceil(n, columns), threads) * (rows + BORDER) * (columns + BORDER);
    }

    static int ceil(int x, int y) {
        return (x + y - 1) / y;
    }

    static int up(int x, int y) {
        return ceil(x, y) * y;
    }
}
