package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import java.util.function.IntConsumer;

/**
 * f32 matrix multiply, C = alpha * A * B + beta * C, over absolute addresses.
 *
 * <p>C is cut into blocks of about {@link #ROWS_L2} x {@link #COLUMNS_L2}, one task each, that stay in L2 while the task
 * walks all k blocks: C is then read and written in L2 and not in L3, which was 18 % at 2048 cubed. An operand used by
 * several tasks is <em>shared</em>: packed once by all threads together, for as many k blocks as fit {@link #SHARED}, so
 * that a multiply of 1024 cubed meets two barriers. An operand used by one task only is packed by that task, into its own
 * L2. An operand that a kernel can as well read in place is not packed at all.
 *
 * <p>Every element of C is summed in the same order whatever the tile, task or thread that computes it: one fused chain
 * per k block, k blocks in order. So bits depend on the shape alone, not on the number of threads.
 */
final class Gemm {
    /** Longest k block: a panel of B (two vectors x KC) takes 2/3 of a 48 KiB L1. */
    static final int KC = 512;
    /** A block of C with the block of A and the panels of B that pass it takes 3/4 of a 1 MiB L2. */
    static final int ROWS_L2 = 256, COLUMNS_L2 = 256;
    /** Bytes of shared panels packed at once: half of L3. */
    private static final long SHARED = 16L << 20;
    /** Rows and columns of shared operands packed at once: whole panels, as everything that cuts C. */
    private static final int SPAN_A = 4096 / GemmTile.ROWS * GemmTile.ROWS;

    private static final int SPAN_B = 4096 / GemmTile.COLUMNS * GemmTile.COLUMNS;
    /** Rows and columns packed by one unit of work: long runs to read, few panels to write at once. */
    private static final int GROUP_A = 32 * GemmTile.ROWS, GROUP_B = 8 * GemmTile.COLUMNS;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final long PARALLEL = 1L << 20;
    /** Sides up to which an operand is read too seldom to be worth packing. */
    private static final int FEW = 64;

    private final int m, n, k, kc;
    private final GemmBlock block;
    private final PanelSource a, b;
    private final boolean directA, directB, sharedA, sharedB;
    private final Scratch scratch;
    private final WorkerPool parallel;
    private final Thread caller = Thread.currentThread();
    private final int rowsPerTask, columnsPerTask;
    private final long blockA, blockB;
    /** Where k block 0 of the shared panels lies, and the caller's own memory. */
    private long packedA, packedB, own;
    /** The part of C and k at work: rows r0.., columns c0.., k0 .. k1. */
    private int r0, rows, c0, columns, k0, k1;

    /**
     * Element strides: {@code rs} between rows, {@code cs} between columns; C has unit column stride.
     *
     * @param epilogue applied to finished blocks, or null
     */
    static void multiply(
            int m,
            int n,
            int k,
            float alpha,
            long a,
            long rsa,
            long csa,
            long b,
            long rsb,
            long csb,
            float beta,
            long c,
            long ldc,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool parallel) {
        multiply(
                m,
                n,
                k,
                alpha,
                GemmPanels.rows(a, rsa, csa),
                GemmPanels.columns(b, rsb, csb),
                beta,
                c,
                ldc,
                epilogue,
                scratch,
                parallel);
    }

    /** The same with operands that pack themselves. */
    static void multiply(
            int m,
            int n,
            int k,
            float alpha,
            PanelSource a,
            PanelSource b,
            float beta,
            long c,
            long ldc,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool parallel) {
        if (m <= 0 || n <= 0) {
            return;
        }
        boolean alone = parallel == null || parallel.threads() == 1 || (long) m * n * k < PARALLEL;
        GemmPanels stridedA = a instanceof GemmPanels s && s.isReadable() ? s : null;
        GemmPanels stridedB = b instanceof GemmPanels s && s.isReadable() ? s : null;
        if (stridedA != null && stridedB != null && k >= 2 * Lanes.FLOATS && alpha != 0) {
            GemmDots dots = dots(m, n, k, alpha, stridedA, stridedB, beta, c, ldc * Float.BYTES, epilogue, scratch);
            if (dots != null) {
                run(dots.tasks(), dots::run, alone ? null : parallel);
                return;
            }
        }
        // A row-major A is read in place at any size: packing it costs time and gains nothing (see
        // bench/lab/matmul.md).
        GemmPanels directA = stridedA != null && (stridedA.isDeep() || n <= FEW) ? stridedA : null;
        GemmPanels directB = stridedB != null && stridedB.isWide() && m <= FEW ? stridedB : null;
        GemmBlock block = new GemmBlock(k, alpha, directA, directB, beta, c, ldc * Float.BYTES, epilogue);
        if (k == 0 || alpha == 0) {
            block.withoutProduct(m, n);
        } else if (alone && m <= ROWS_L2 && n <= COLUMNS_L2 && k <= KC) {
            small(m, n, k, block, a, b, scratch);
        } else {
            new Gemm(m, n, k, block, a, b, scratch, alone ? null : parallel).run();
        }
    }

    /** A C of few rows or columns whose big operand is contiguous along k; null for any other. */
    private static GemmDots dots(
            int m,
            int n,
            int k,
            float alpha,
            GemmPanels a,
            GemmPanels b,
            float beta,
            long c,
            long ldc,
            Epilogue epilogue,
            Scratch scratch) {
        boolean tall = n <= GemmDots.MOST && m >= n && a.isDeep();
        if (!tall && !(m <= GemmDots.MOST && b.isDeep())) {
            return null;
        }
        GemmPanels big = tall ? a : b, small = tall ? b : a;
        int rows = tall ? m : n, few = tall ? n : m;
        if (few > 4 && (long) few * k > GemmDots.MOST_ELEMENTS || few > GemmDots.MOST_GATHERED && !small.isDeep()) {
            return null;
        }
        long own = scratch.address(GemmDots.SCRATCH + (small.isDeep() ? 0 : (long) few * k * Float.BYTES));
        if (!small.isDeep()) {
            small = small.gather(few, k, own + GemmDots.SCRATCH);
        }
        return new GemmDots(
                rows,
                few,
                k,
                alpha,
                big.base(),
                big.along(),
                small.base(),
                small.along(),
                beta,
                c,
                tall ? ldc : Float.BYTES,
                tall ? Float.BYTES : ldc,
                epilogue,
                tall,
                scratch,
                Thread.currentThread(),
                own);
    }

    /** One block, one thread, one pass over k: no plan needed. */
    private static void small(int m, int n, int k, GemmBlock block, PanelSource a, PanelSource b, Scratch scratch) {
        int skipA = block.directA() == null ? 0 : m / GemmTile.ROWS * GemmTile.ROWS;
        int skipB = block.directB() == null ? 0 : n / GemmTile.COLUMNS * GemmTile.COLUMNS;
        long bytesA = (long) up(m - skipA, GemmTile.ROWS) * k * Float.BYTES;
        long bytesB = (long) up(n - skipB, GemmTile.COLUMNS) * k * Float.BYTES;
        long tile = scratch.address(GemmTile.SCRATCH + bytesB + bytesA), panelsB = tile + GemmTile.SCRATCH;
        if (skipA < m) {
            a.pack(panelsB + bytesB, skipA, m - skipA, 0, k);
        }
        if (skipB < n) {
            b.pack(panelsB, skipB, n - skipB, 0, k);
        }
        block.multiply(0, m, 0, n, 0, k, panelsB + bytesB, panelsB, tile);
    }

    private static void run(int blocks, IntConsumer body, WorkerPool parallel) {
        if (parallel == null) {
            for (int i = 0; i < blocks; i++) {
                body.accept(i);
            }
        } else {
            parallel.run(blocks, body);
        }
    }

    private Gemm(
            int m, int n, int k, GemmBlock block, PanelSource a, PanelSource b, Scratch scratch, WorkerPool parallel) {
        this.m = m;
        this.n = n;
        this.k = k;
        this.block = block;
        this.a = a;
        this.b = b;
        this.directA = block.directA() != null;
        this.directB = block.directB() != null;
        this.scratch = scratch;
        this.parallel = parallel;
        // Equal blocks, along k and along both sides of C: nobody waits for a sliver.
        kc = Math.min(k, up(ceil(k, ceil(k, KC)), 8));
        int down = ceil(m, ROWS_L2), across = ceil(n, COLUMNS_L2);
        if (parallel != null) {
            int wanted = 4 * parallel.threads();
            while (down * across < wanted && (long) down * GemmTile.ROWS < m | (long) across * GemmTile.COLUMNS < n) {
                if (ceil(m, down) >= ceil(n, across) || (long) across * GemmTile.COLUMNS >= n) {
                    down++;
                } else {
                    across++;
                }
            }
        }
        rowsPerTask = up(ceil(m, down), GemmTile.ROWS);
        columnsPerTask = up(ceil(n, across), GemmTile.COLUMNS);
        sharedA = n > columnsPerTask;
        sharedB = m > rowsPerTask;
        int spanA = directA ? GemmTile.ROWS : sharedA ? Math.min(m, SPAN_A) : rowsPerTask;
        int spanB = directB ? GemmTile.COLUMNS : sharedB ? Math.min(n, SPAN_B) : columnsPerTask;
        blockA = (long) up(spanA, GemmTile.ROWS) * kc * Float.BYTES;
        blockB = (long) up(spanB, GemmTile.COLUMNS) * kc * Float.BYTES;
    }

    private static int ceil(int x, int y) {
        return (x + y - 1) / y;
    }

    private static int up(int x, int y) {
        return ceil(x, y) * y;
    }

    /** What one thread needs besides the shared panels. */
    private long ownBytes() {
        return (sharedA ? 0 : blockA) + (sharedB ? 0 : blockB) + GemmTile.SCRATCH;
    }

    private void run() {
        long perK = (sharedA ? blockA : 0) + (sharedB ? blockB : 0);
        int together = Math.min(ceil(k, kc), perK == 0 ? Integer.MAX_VALUE : (int) Math.max(1, SHARED / perK));
        packedA = scratch.address(together * perK + ownBytes());
        packedB = packedA + (sharedA ? together * blockA : 0);
        own = packedA + together * perK;
        int spanRows = sharedA ? SPAN_A : m, spanColumns = sharedB ? SPAN_B : n;
        for (c0 = 0; c0 < n; c0 += columns) {
            columns = Math.min(spanColumns, n - c0);
            for (r0 = 0; r0 < m; r0 += rows) {
                rows = Math.min(spanRows, m - r0);
                for (k0 = 0; k0 < k; k0 = k1) {
                    k1 = (int) Math.min(k, k0 + (long) together * kc);
                    step();
                }
            }
        }
    }

    /** Packs what is shared, then multiplies: two barriers. */
    private void step() {
        int units = unitsA() + unitsB(), tasks = ceil(rows, rowsPerTask) * ceil(columns, columnsPerTask);
        if (units > 0) {
            run(units, this::packShared, parallel);
        }
        run(tasks, this::multiplyBlock, parallel);
    }

    private int unitsA() {
        return sharedA ? ceil(k1 - k0, kc) * (directA ? 1 : ceil(rows, GROUP_A)) : 0;
    }

    private int unitsB() {
        return sharedB ? ceil(k1 - k0, kc) * (directB ? 1 : ceil(columns, GROUP_B)) : 0;
    }

    private void packShared(int unit) {
        int kBlocks = ceil(k1 - k0, kc), unitB = unit - unitsA(), q = (unitB < 0 ? unit : unitB) % kBlocks;
        int p = k0 + q * kc, depth = Math.min(kc, k1 - p);
        if (unitB < 0) {
            int from = unit / kBlocks * GROUP_A, count = directA ? rows : Math.min(GROUP_A, rows - from);
            packA(packedA + q * blockA + (long) from * depth * Float.BYTES, r0 + from, count, p, depth);
        } else {
            int from = unitB / kBlocks * GROUP_B, count = directB ? columns : Math.min(GROUP_B, columns - from);
            packB(packedB + q * blockB + (long) from * depth * Float.BYTES, c0 + from, count, p, depth);
        }
    }

    /** All of these rows, or of an A that is read in place only the short last panel. */
    private void packA(long to, int first, int count, int p, int depth) {
        int skip = directA ? count / GemmTile.ROWS * GemmTile.ROWS : 0;
        if (skip < count) {
            a.pack(to, first + skip, count - skip, p, depth);
        }
    }

    private void packB(long to, int first, int count, int p, int depth) {
        int skip = directB ? count / GemmTile.COLUMNS * GemmTile.COLUMNS : 0;
        if (skip < count) {
            b.pack(to, first + skip, count - skip, p, depth);
        }
    }

    private void multiplyBlock(int task) {
        int down = ceil(rows, rowsPerTask);
        int row = task % down * rowsPerTask, height = Math.min(rowsPerTask, rows - row);
        int column = task / down * columnsPerTask, width = Math.min(columnsPerTask, columns - column);
        long mine = Thread.currentThread() == caller ? own : scratch.address(ownBytes());
        long mineB = mine + (sharedA ? 0 : blockA), tile = mineB + (sharedB ? 0 : blockB);
        for (int p = k0, q = 0; p < k1; p += kc, q++) {
            int depth = Math.min(kc, k1 - p);
            long panelsA = mine, panelsB = mineB;
            if (sharedA) {
                panelsA = packedA + q * blockA + (directA ? 0 : (long) row * depth * Float.BYTES);
            } else {
                packA(panelsA, r0 + row, height, p, depth);
            }
            if (sharedB) {
                panelsB = packedB + q * blockB + (directB ? 0 : (long) column * depth * Float.BYTES);
            } else {
                packB(panelsB, c0 + column, width, p, depth);
            }
            block.multiply(r0 + row, height, c0 + column, width, p, depth, panelsA, panelsB, tile);
        }
    }
}
