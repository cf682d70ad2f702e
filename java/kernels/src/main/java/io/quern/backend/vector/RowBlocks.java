package io.quern.backend.vector;

import io.quern.backend.WorkerPool;

/** Splits rows of equal work among the workers in fixed blocks. */
final class RowBlocks {
    /** Work on rows {@code from <= row < to}. */
    interface Body {
        void run(long from, long to);
    }

    private RowBlocks() {}

    /** Blocks of whole rows with at least {@link Ranges#BLOCK} elements each. */
    static void run(WorkerPool pool, long rows, long elementsPerRow, Body body) {
        long height = Math.ceilDiv(Ranges.BLOCK, Math.max(1, elementsPerRow));
        pool.run(
                Math.toIntExact(Math.ceilDiv(rows, height)),
                block -> body.run(block * height, Math.min(rows, (block + 1) * height)));
    }
}
