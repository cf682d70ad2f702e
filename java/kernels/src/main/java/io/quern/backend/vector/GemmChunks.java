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

    private final int m, n, k, chunks;
    private final long partBytes;

    GemmChunks(int m, int n, int k) {
        this.m = m;
        this.n = n;
        this.k = k;
        partBytes = (long) m * n * Float.BYTES + 63 & -64;
        chunks = Math.clamp(Math.min(BYTES / partBytes, k / SHORTEST), 1, MOST);
    }

    /** Whether there is more than one. */
    boolean cuts() {
        return chunks > 1;
    }

    /**
     * C = alpha * A * B
     *
     * @param longest k block
     * @param ldc bytes
     * @param parallel null for the calling thread alone
     */
    void run(
            float alpha,
            GemmPanels a,
            GemmPanels b,
            long c,
            long ldc,
            int longest,
            Scratch scratch,
            WorkerPool parallel) {
        if (parallel == null) {
            // not by WorkerPool.runHere: C2 inlines neither Gemm.multiply nor GemmBlock.multiply, which are too large,
            // so
            // that less than its 15 levels lie between them and the accesses to memory
            long part = scratch.address(partBytes + GemmTile.SCRATCH), tile = part + partBytes;
            multiply(0, 0, m, 0, n, alpha, a, b, c, ldc, longest, tile);
            for (int chunk = 1; chunk < chunks; chunk++) {
                multiply(chunk, 0, m, 0, n, alpha, a, b, part, 4L * n, longest, tile);
                for (int row = 0; row < m; row++) {
                    long to = c + row * ldc;
                    Sums.add(to, part + 4L * row * n - to, 2, to, n);
                }
            }
            return;
        }
        long parts = scratch.address(chunks * partBytes + GemmTile.SCRATCH);
        Thread caller = Thread.currentThread();
        // with more threads than chunks, C is cut as well
        int sharing = Math.ceilDiv(parallel.threads(), chunks);
        GemmGrid grid = sharing == 1 ? new GemmGrid(m, n) : GemmGrid.of(m, n, GemmTile.WIDE, sharing);
        int across = Math.ceilDiv(n, grid.columns()), blocks = across * Math.ceilDiv(m, grid.rows());
        parallel.run(chunks * blocks, task -> {
            int chunk = task / blocks, block = task % blocks;
            int row = block / across * grid.rows(), column = block % across * grid.columns();
            int height = Math.min(grid.rows(), m - row), width = Math.min(grid.columns(), n - column);
            long tile =
                    Thread.currentThread() == caller ? parts + chunks * partBytes : scratch.address(GemmTile.SCRATCH);
            long part = parts + chunk * partBytes;
            multiply(chunk, row, height, column, width, alpha, a, b, part, 4L * n, longest, tile);
        });
        int rows = Math.ceilDiv(ADDED, n);
        Blocks.run(parallel, m > rows, Math.ceilDiv(m, rows), block -> {
            for (int row = block * rows; row < Math.min(m, (block + 1) * rows); row++) {
                Sums.add(parts + 4L * row * n, partBytes, chunks, c + row * ldc, n);
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
            int longest,
            long tile) {
        int from = (int) ((long) k * chunk / chunks), length = (int) ((long) k * (chunk + 1) / chunks) - from;
        int kc = Gemm.depth(length, longest);
        GemmBlock block = new GemmBlock(GemmTile.WIDE, n, length, alpha, a.from(from), b.from(from), 0, c, ldc, null);
        for (int column = left; column < left + columns; column += GemmGrid.COLUMNS_L2) {
            int width = Math.min(GemmGrid.COLUMNS_L2, left + columns - column);
            for (int row = top; row < top + rows; row += GemmGrid.ROWS_L2) {
                int height = Math.min(GemmGrid.ROWS_L2, top + rows - row);
                for (int p = 0; p < length; p += kc) {
                    block.multiply(row, height, column, width, p, Math.min(kc, length - p), 0, 0, tile);
                }
            }
        }
    }
}
