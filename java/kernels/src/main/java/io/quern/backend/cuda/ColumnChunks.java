package io.quern.backend.cuda;

/**
 * How sums over the rows of a (rows, columns) matrix are cut: blocks of 32 columns, chunks of rows, two doubles per column
 * and chunk. A function of the extents, so that bits do not depend on the GPU. See column_sums in sums.cuh.
 *
 * @param rowsPerChunk rows that one block sums
 */
record ColumnChunks(long rows, int columns, long rowsPerChunk, int chunks) {
    static final int BLOCK = 256;
    private static final int LEAST_ROWS = 64;
    private static final int MOST_CHUNKS = 64;

    static ColumnChunks of(long rows, int columns) {
        long perChunk = Math.max(LEAST_ROWS, Math.ceilDiv(rows, (long) MOST_CHUNKS));
        return new ColumnChunks(rows, columns, perChunk, Math.toIntExact(Math.max(1, Math.ceilDiv(rows, perChunk))));
    }

    /** Doubles that the partial sums take. */
    long doubles() {
        return 2L * chunks * columns;
    }

    /** Launches a kernel that calls column_totals and has all its arguments. */
    void runTotals(Launch launch) {
        launch.run(Math.ceilDiv(columns, 32), 1, 1, BLOCK, 0);
    }

    /** Ends a launch of a kernel that calls column_sums. */
    void run(Launch launch) {
        launch.i64(rows).i32(columns).i64(rowsPerChunk).run(Math.ceilDiv(columns, 32), chunks, 1, BLOCK, 0);
    }
}
