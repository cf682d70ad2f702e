package io.quern.backend.vector;

import static io.quern.backend.vector.GemmGrid.ceil;
import static io.quern.backend.vector.GemmGrid.up;

import io.quern.backend.WorkerPool;
import java.util.function.IntConsumer;

/**
 * f32 matrix multiply, C = alpha * A * B + beta * C, over absolute addresses.
 *
 * <p>C is cut into blocks ({@link GemmGrid}), one task each, that stay in L2 while the task
 * walks all k blocks: C is then read and written in L2 and not in L3, which was 18 % at 2048 cubed. An operand used by
 * several tasks is <em>shared</em>: packed once by all threads together, for as many k blocks as fit {@link #SHARED}, so
 * that a multiply of 1024 cubed meets two barriers. An operand used by one task only is packed by that task, into its own
 * L2. An operand that a kernel can as well read in place is not packed at all.
 *
 * <p>Every element of C is summed in the same order whatever the tile, task or thread that computes it: one fused chain
 * per k block, k blocks in order, and chunks of them in order where {@link GemmChunks} cuts k. So bits depend on
 * the shape alone, not on the number of threads.
 */
final class Gemm {
    /** Longest k block: a panel of B then takes an eighth of a 1 MiB L2, and C is passed seldom. */
    static final int KC = 512;
    /** Bytes of shared panels packed at once: half of L3. */
    private static final long SHARED = 16L << 20;
    /** Rows and columns of shared operands packed at once. */
    private static final int SPAN = 4096;

    /** Rows and columns packed by one unit of work: long runs to read, few panels to write at once. */
    private static final int GROUP = 256;
    /** Floats of a cache line. */
    static final int LINE = 16;
    /** Units of packing that a thread should find, so that none waits long for another. */
    private static final int UNITS = 4;

    /** Multiply-adds below which threads cost more than they bring. */
    private static final long PARALLEL = 1L << 20;
    /** For products of a long k both of whose operands are read in place: k from which, elements of C up to which. */
    private static final int LONG = 768, STREAMED_C = 192 << 10;

    private final int m, n, k, kc;
    private final GemmBlock block;
    private final GemmPanels a, b;
    private final GemmPacked packed;
    private final boolean directA, directB, sharedA, sharedB;
    private final Scratch scratch;
    private final WorkerPool parallel;
    private final Thread caller = Thread.currentThread();
    private final int tileRows, tileColumns, rowsPerTask, columnsPerTask;
    /** {@link #SPAN} and {@link #GROUP} in whole panels, as everything that cuts C. */
    private final int wholeA, wholeB, groupA, groupB;

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
            long a0,
            long rsa,
            long csa,
            long b0,
            long rsb,
            long csb,
            float beta,
            long c,
            long ldc,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool parallel) {
        GemmPanels a = GemmPanels.rows(a0, rsa, csa), b = GemmPanels.columns(b0, rsb, csb);
        multiply(m, n, k, alpha, a, b, null, beta, c, ldc, epilogue, scratch, parallel);
    }

    /** @param packed b as panels, or null */
    static void multiply(
            int m,
            int n,
            int k,
            float alpha,
            GemmPanels a,
            GemmPanels b,
            GemmPacked packed,
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
        if (packed == null && a.isReadable() && b.isReadable() && k >= 2 * Lanes.FLOATS && alpha != 0) {
            GemmDots dots = dots(m, n, k, alpha, a, b, beta, c, ldc * Float.BYTES, epilogue, scratch);
            if (dots != null) {
                run(dots.tasks(), dots::run, alone ? null : parallel);
                return;
            }
        }
        boolean readable = packed == null && a.isReadable() && b.isReadable();
        // Packing two operands that lie along m and n, and are used by few tiles, costs more than reading them from L2.
        boolean streams = readable
                && Lanes.REGISTERS >= 32
                && a.isWide()
                && b.isWide()
                && k >= LONG
                && (long) m * n <= STREAMED_C;
        if (streams && GemmChunks.fits(m, n) && alpha != 0 && beta == 0 && epilogue == null) {
            GemmChunks chunks = new GemmChunks(m, n, k);
            if (chunks.cuts()) {
                WorkerPool threads = alone ? null : parallel;
                chunks.run(alpha, a, b, c, ldc * Float.BYTES, scratch, threads);
                return;
            }
        }
        if (streams && m >= GemmTile.WIDE.rows && n >= GemmTile.WIDE.columns) {
            GemmTile tile = GemmTile.streamed(m, n);
            GemmBlock block = new GemmBlock(tile, m, n, k, alpha, a, b, beta, c, ldc * Float.BYTES, epilogue);
            if (alpha == 0) {
                block.withoutProduct(m, n);
            } else {
                int longest = GemmChunks.far(m, n, k) ? GemmChunks.FAR_KC : GemmChunks.NEAR_KC;
                new Gemm(m, n, k, block, a, b, null, longest, scratch, alone ? null : parallel).run();
            }
            return;
        }
        boolean inPlace = readable && GemmInPlace.both(m, n, k, a, b, alone);
        GemmTile shape = packed != null ? packed.shape() : inPlace ? GemmTile.WIDE : GemmTile.of(m, n);
        // A row-major A is read in place at any size: packing it costs time and gains nothing (see
        // bench/lab/matmul.md). In place the borders are read from whole tiles that overlap their neighbours, so there
        // must be a whole one.
        boolean directA = a.isReadable() && (a.isDeep() || inPlace || GemmInPlace.fits(n, m, k)) && shape.isWhole(m);
        boolean directB = packed == null
                && b.isReadable()
                && b.isWide()
                && (inPlace || GemmInPlace.fits(m, n, k))
                && (n == Lanes.FLOATS || n >= 2 * Lanes.FLOATS)
                && (shape != GemmTile.WIDE || n >= shape.columns);
        GemmBlock block = new GemmBlock(
                shape, m, n, k, alpha, directA ? a : null, directB ? b : null, beta, c, ldc * Float.BYTES, epilogue);
        if (k == 0 || alpha == 0) {
            block.withoutProduct(m, n);
        } else if (alone && m <= GemmGrid.ROWS_L2 && n <= GemmGrid.COLUMNS_L2 && k <= KC) {
            small(m, n, k, block, a, b, packed, scratch);
        } else {
            new Gemm(m, n, k, block, a, b, packed, KC, scratch, alone ? null : parallel).run();
        }
    }

    /** A C of few rows or columns whose big operand is contiguous along k; null for any other, and where tiles are faster. */
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
        if (tall && GemmTile.isSlimFaster(m, n, k)) {
            return null;
        }
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
    private static void small(
            int m, int n, int k, GemmBlock block, GemmPanels a, GemmPanels b, GemmPacked packed, Scratch scratch) {
        int tileRows = block.shape().rows, tileColumns = block.shape().columns;
        long bytesA = block.directA() != null ? 0 : bytesA(up(m, tileRows), k);
        long bytesB = block.directB() != null || packed != null ? 0 : (long) up(n, tileColumns) * k * Float.BYTES;
        long tile = scratch.address(GemmTile.SCRATCH + bytesB + bytesA), panelsB = tile + GemmTile.SCRATCH;
        if (bytesA > 0) {
            a.pack(panelsB + bytesB, tileRows, 0, m, 0, k);
        }
        if (bytesB > 0) {
            b.pack(panelsB, tileColumns, 0, n, 0, k);
        }
        block.multiply(
                0, m, 0, n, 0, k, panelsB + bytesB, packed == null ? panelsB : packed.panel(0, 0, k), tile, null);
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
            int m,
            int n,
            int k,
            GemmBlock block,
            GemmPanels a,
            GemmPanels b,
            GemmPacked packed,
            int longest,
            Scratch scratch,
            WorkerPool parallel) {
        this.m = m;
        this.n = n;
        this.k = k;
        this.block = block;
        this.a = a;
        this.b = b;
        this.packed = packed;
        this.directA = block.directA() != null;
        this.directB = block.directB() != null;
        this.scratch = scratch;
        this.parallel = parallel;
        tileRows = block.shape().rows;
        tileColumns = block.shape().columns;
        wholeA = up(ceil(m, ceil(m, SPAN)), tileRows);
        wholeB = up(ceil(n, ceil(n, SPAN)), tileColumns);
        kc = depth(k, longest);
        int threads = parallel == null ? 1 : parallel.threads(), kBlocks = ceil(k, kc);
        groupA = group(m, kBlocks, threads, tileRows);
        groupB = group(n, kBlocks, threads, tileColumns);
        GemmGrid grid = GemmGrid.of(m, n, block.shape(), threads);
        rowsPerTask = grid.rows();
        columnsPerTask = grid.columns();
        sharedA = !directA && n > columnsPerTask;
        sharedB = !directB && packed == null && m > rowsPerTask;
        blockA = directA ? 0 : bytesA(up(sharedA ? Math.min(m, wholeA) : rowsPerTask, tileRows), kc);
        blockB = directB || packed != null
                ? 0
                : (long) up(sharedB ? Math.min(n, wholeB) : columnsPerTask, tileColumns) * kc * Float.BYTES;
    }

    /** Of a k block: equal blocks, of whole eights where there are several. */
    static int depth(int k) {
        return depth(k, KC);
    }

    static int depth(int k, int longest) {
        return k == 0 ? 0 : Math.min(k, up(ceil(k, ceil(k, longest)), 8));
    }

    /**
     * Rows or columns of a unit of packing: whole panels and whole cache lines of what lies side by side, and no more than a
     * thread's share.
     */
    private static int group(int side, int kBlocks, int threads, int tile) {
        int step = tile, share = threads == 1 ? GROUP : ceil(side, ceil(UNITS * threads, kBlocks));
        while (step % LINE != 0) {
            step += tile;
        }
        return Math.max(step, Math.min(GROUP, share) / step * step);
    }

    /** Bytes of packed rows, in whole cache lines. */
    private static long bytesA(int rows, int k) {
        return (long) rows * k * Float.BYTES + 63 & -64;
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
        int spanRows = n > columnsPerTask ? wholeA : m, spanColumns = m > rowsPerTask ? wholeB : n;
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
        return sharedA ? ceil(k1 - k0, kc) * ceil(rows, groupA) : 0;
    }

    private int unitsB() {
        return sharedB ? ceil(k1 - k0, kc) * ceil(columns, groupB) : 0;
    }

    private void packShared(int unit) {
        int kBlocks = ceil(k1 - k0, kc), unitB = unit - unitsA(), q = (unitB < 0 ? unit : unitB) % kBlocks;
        int p = k0 + q * kc, depth = Math.min(kc, k1 - p);
        if (unitB < 0) {
            int from = unit / kBlocks * groupA;
            long to = packedA + q * blockA + (long) from * depth * Float.BYTES;
            a.pack(to, tileRows, r0 + from, Math.min(groupA, rows - from), p, depth);
        } else {
            int from = unitB / kBlocks * groupB;
            long to = packedB + q * blockB + (long) from * depth * Float.BYTES;
            b.pack(to, tileColumns, c0 + from, Math.min(groupB, columns - from), p, depth);
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
                panelsA = packedA + q * blockA + (long) row * depth * Float.BYTES;
            } else if (!directA) {
                a.pack(panelsA, tileRows, r0 + row, height, p, depth);
            }
            if (packed != null) {
                panelsB = packed.panel(c0 + column, p, depth);
            } else if (sharedB) {
                panelsB = packedB + q * blockB + (long) column * depth * Float.BYTES;
            } else if (!directB) {
                b.pack(panelsB, tileColumns, c0 + column, width, p, depth);
            }
            block.multiply(r0 + row, height, c0 + column, width, p, depth, panelsA, panelsB, tile, null);
        }
    }
}
