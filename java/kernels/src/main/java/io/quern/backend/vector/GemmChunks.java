package io.quern.backend.vector;

import io.quern.backend.WorkerPool;

/**
 * A product with a long k and a C that stays in L2, its operands read in place: k is cut into chunks, which threads take as
 * they come, and each chunk has sums of its own. Cut along C, as {@link Gemm} does it, every task would walk all of k in pieces
 * of rows, and together they would read the operands several times from L3 or beyond.
 *
 * <p>The number of chunks depends on the shape alone, and they are added in order, so bits do not depend on threads.
 */
final class GemmChunks {
    private static final int MOST = 8;
    /** Of a chunk, so that adding it stays a small part of the work. */
    private static final int SHORTEST = 512;
    /** Bytes of the sums of all chunks at most. */
    private static final long BYTES = 4 << 20;
    /** Elements of C that a task adds. */
    private static final int ADDED = 1 << 13;

    /**
     * Longest k blocks: of operands that a cache holds, and of those from memory. Of the former a chunk of {@link #SHORTEST} is one
     * block; longer ones push out of L2 what lies a power of two apart (bench/lab/matmul.md, trial 75).
     */
    static final int NEAR_KC = 576, FAR_KC = 256;
    /** Of those from memory, for a C of many rows and few columns. */
    private static final int FAR_TALL_KC = 128;

    /** Of C, or of its transpose where that is {@link #turned}. */
    private final int m, n;

    private final int k, chunks;
    private final GemmTile tiles;
    /**
     * Whether the operands come from memory, and are read in order first, or asked for by the block before. Whether C' = B' A' is computed: where n is less than a
     * tile, and since with few columns a block of B stays in L1.
     */
    private final boolean far, turned;

    private final long partBytes;

    /** Whether C, or its transpose, has the columns of a tile and rows enough for it to be read in place. */
    static boolean fits(int m, int n) {
        if (n >= GemmTile.WIDE.columns || m >= GemmTile.WIDE.columns) {
            return Math.min(m, n) >= GemmTile.WIDE.rows;
        }
        return m == GemmTile.TALL.columns && n < m && n >= GemmTile.TALL.rows;
    }

    GemmChunks(int m, int n, int k) {
        this.k = k;
        far = far(m, n, k);
        boolean few = n < GemmTile.WIDE.columns;
        turned = few || far && n >= 2 * m && m % GemmTile.WIDE.columns == 0;
        this.m = turned ? n : m;
        this.n = turned ? m : n;
        tiles = few && m < GemmTile.WIDE.columns ? GemmTile.TALL : GemmTile.streamed(this.m, this.n);
        partBytes = (long) m * n * Float.BYTES + 63 & -64;
        chunks = Math.clamp(Math.min(BYTES / partBytes, k / SHORTEST), 1, MOST);
    }

    /** Whether the operands come from memory. */
    static boolean far(int m, int n, int k) {
        return 4L * k * (m + n) > Copies.CACHED;
    }

    /** Whether there is more than one. */
    boolean cuts() {
        return chunks > 1;
    }

    /**
     * C = alpha * A * B
     *
     * @param ldc bytes
     * @param parallel null for the calling thread alone
     */
    void run(float alpha, GemmPanels a, GemmPanels b, long c, long ldc, Scratch scratch, WorkerPool parallel) {
        if (parallel == null) {
            // not by WorkerPool.runHere: C2 inlines neither Gemm.multiply nor GemmBlock.multiply, which are too large,
            // so fewer than its 15 levels lie between them and the accesses to memory
            long part = scratch.address((turned ? 2 : 1) * partBytes + GemmTile.SCRATCH);
            long tile = part + partBytes, whole = turned ? tile + GemmTile.SCRATCH : c, pitch = turned ? 4L * n : ldc;
            multiply(0, 0, m, 0, n, alpha, a, b, whole, pitch, tile);
            for (int chunk = 1; chunk < chunks; chunk++) {
                multiply(chunk, 0, m, 0, n, alpha, a, b, part, 4L * n, tile);
                boolean dense = pitch == 4L * n;
                for (int row = 0; row < (dense ? 1 : m); row++) {
                    long to = whole + row * pitch;
                    Sums.add(to, part + 4L * row * n - to, 2, to, dense ? m * n : n);
                }
            }
            if (turned) {
                GemmTranspose.all(whole, pitch, m, n, c, ldc);
            }
            return;
        }
        long parts = scratch.address(chunks * partBytes + GemmTile.SCRATCH);
        Thread caller = Thread.currentThread();
        // with more threads than chunks, C is cut as well
        int sharing = Math.ceilDiv(parallel.threads(), chunks);
        GemmGrid grid = sharing == 1 ? new GemmGrid(m, n) : GemmGrid.of(m, n, tiles, sharing);
        int across = Math.ceilDiv(n, grid.columns()), blocks = across * Math.ceilDiv(m, grid.rows());
        parallel.run(chunks * blocks, task -> {
            int chunk = task / blocks, block = task % blocks;
            int row = block / across * grid.rows(), column = block % across * grid.columns();
            int height = Math.min(grid.rows(), m - row), width = Math.min(grid.columns(), n - column);
            long tile =
                    Thread.currentThread() == caller ? parts + chunks * partBytes : scratch.address(GemmTile.SCRATCH);
            long part = parts + chunk * partBytes;
            multiply(chunk, row, height, column, width, alpha, a, b, part, 4L * n, tile);
        });
        int rows = Math.ceilDiv(ADDED, n);
        Blocks.run(parallel, m > rows, Math.ceilDiv(m, rows), block -> {
            int first = block * rows, last = Math.min(m, first + rows);
            for (int row = first; row < last; row++) {
                long part = parts + 4L * row * n;
                Sums.add(part, partBytes, chunks, turned ? part : c + row * ldc, n);
            }
            if (turned) {
                GemmTranspose.all(parts + 4L * first * n, 4L * n, last - first, n, c + 4L * first, ldc);
            }
        });
    }

    /** Of a chunk's sums the rows {@code top} .. and the columns {@code left} .. */
    private void multiply(
            int chunk,
            int top,
            int rows,
            int left,
            int columns,
            float alpha,
            GemmPanels a,
            GemmPanels b,
            long c,
            long ldc,
            long tile) {
        int from = (int) ((long) k * chunk / chunks), length = (int) ((long) k * (chunk + 1) / chunks) - from;
        int fromMemory = m >= 2 * n ? FAR_TALL_KC : FAR_KC, kc = Gemm.depth(length, far ? fromMemory : NEAR_KC);
        GemmPanels x = (turned ? b : a).from(from), y = (turned ? a : b).from(from);
        boolean inOrder = far && x.deep() == 4L * m && y.deep() == 4L * n;
        boolean asks = inOrder && GemmCode.of(tiles) != null;
        // narrow tiles read nearly all of each row of B and A at once, and so in order
        boolean fetches = inOrder && !asks && tiles != GemmTile.TALL;
        GemmGrid grid = GemmGrid.of(rows, columns, tiles, 1);
        GemmBlock block = new GemmBlock(tiles, m, n, length, alpha, x, y, 0, c, ldc, null);
        for (int p = 0; p < length; p += kc) {
            int depth = Math.min(kc, length - p);
            GemmSweep.Ahead next = asks ? ahead(x.from(p + depth), y.from(p + depth), depth, rows, columns) : null;
            if (fetches) {
                Copies.fetch(x.base() + p * x.deep(), depth * x.deep(), tile);
                Copies.fetch(y.base() + p * y.deep(), depth * y.deep(), tile);
            }
            for (int column = left; column < left + columns; column += grid.columns()) {
                int width = Math.min(grid.columns(), left + columns - column);
                for (int row = top; row < top + rows; row += grid.rows()) {
                    int height = Math.min(grid.rows(), top + rows - row);
                    block.multiply(row, height, column, width, p, depth, 0, 0, tile, next);
                    if (next != null) {
                        next = next.after((long) (height / tiles.rows) * (width / tiles.columns) * depth);
                    }
                }
            }
        }
    }

    /**
     * What the next k block reads: both operands side by side, or the larger one in halves where a line in each step of a tile is too
     * little for it.
     */
    private GemmSweep.Ahead ahead(GemmPanels x, GemmPanels y, int depth, int rows, int columns) {
        long tilesOfAll = (long) Math.max(1, rows / tiles.rows) * Math.max(1, columns / tiles.columns);
        GemmPanels large = x.deep() > y.deep() ? x : y;
        long line = Math.ceilDiv(large.deep(), tilesOfAll);
        return line <= Lanes.LINE
                ? new GemmSweep.Ahead(x.base(), y.base(), line)
                : new GemmSweep.Ahead(
                        large.base(),
                        large.base() + depth * large.deep() / 2,
                        Math.min(Lanes.LINE, Math.ceilDiv(line, 2)));
    }
}
