package io.quern.backend.cuda;

/**
 * How sums over the rows of a (rows, columns) matrix are cut: blocks of 32 columns, chunks of rows, two doubles per column
 * and chunk. A function of the extents, so that bits do not depend on the GPU. See column_sums in sums.cuh.
 *
 * @param chunks parts of the rows, which one block each sums
 */
record ColumnChunks(long rows, int columns, int chunks) {
    static final int BLOCK = 256;
    /** Columns of a block. */
    private static final int WIDTH = 32;

    private static final int LEAST_ROWS = 64;
    /** Of all columns together: three for each processor of a large GPU, whose registers carry two or three. */
    private static final int MOST_BLOCKS = 384;

    static ColumnChunks of(long rows, int columns) {
        int across = Math.max(1, Math.ceilDiv(columns, WIDTH)), most = MOST_BLOCKS / across;
        if (most * across < MOST_BLOCKS / 5 * 4) { // too many processors would have nothing: two rounds
            most = 2 * MOST_BLOCKS / across;
        }
        return new ColumnChunks(rows, columns, Math.clamp(Math.ceilDiv(rows, (long) LEAST_ROWS), 1, Math.max(1, most)));
    }

    /** Doubles that the partial sums take. */
    long doubles() {
        return 2L * chunks * columns;
    }

    /** Launches a kernel that calls column_totals and has all its arguments. */
    void runTotals(Launch launch) {
        launch.run(Math.ceilDiv(columns, WIDTH), 1, 1, BLOCK, 0);
    }

    /** Ends a launch of a kernel that calls column_sums. */
    void run(Launch launch) {
        launch.i64(rows).i32(columns).run(Math.ceilDiv(columns, WIDTH), chunks, 1, BLOCK, 0);
    }
}
