package io.quern.backend.vector;

import io.quern.backend.WorkerPool;

/**
 * Two sums per channel over the rows of a (rows, channels) matrix, in double, cut in fixed blocks that are combined in
 * fixed order.
 *
 * <p>Channels are rarely a multiple of the vector length, so several rows are read as one row of folded channels.
 */
final class ChannelSums {
    /** Columns per task. */
    private static final int STRIP = 64;
    /** Folded rows added up before the next columns of the strip: 32 KiB of floats, so that all stay in cache. */
    private static final int CHUNK = 128;
    /** Folded rows per task, unless that makes too many. */
    private static final int ROWS = 512;
    /** Bounds the partial sums. */
    private static final int MAX_BLOCKS = 64;
    /** From this many channels a few scalar columns at the end cost less than folding. */
    private static final int WIDE = 1024;

    private ChannelSums() {}

    /** Adds both sums of columns {@code from <= c < to} to {@code sums[first + c]} and {@code sums[second + c]}. */
    interface Body {
        /**
         * Columns are those of folded rows, or of single rows at the end of the matrix.
         *
         * @param start element of column 0 in the first row
         * @param stride elements from row to row
         */
        void add(long start, int rows, int stride, int from, int to, double[] sums, int first, int second);
    }

    /** Both sums of every channel: first at [c], second at [channels + c]. */
    static double[] of(WorkerPool pool, long rows, int channels, Body body) {
        int fold = fold(channels);
        int width = fold * channels;
        long foldedRows = rows / fold;
        int blocks = Math.clamp((foldedRows + ROWS - 1) / ROWS, 1, MAX_BLOCKS);
        long perBlock = (foldedRows + blocks - 1) / blocks;
        int strips = (width + STRIP - 1) / STRIP;
        double[] partial = new double[2 * blocks * width];
        pool.run(blocks * strips, task -> {
            int block = task / strips;
            int from = task % strips * STRIP;
            int to = Math.min(width, from + STRIP);
            long end = Math.min(foldedRows, (block + 1) * perBlock);
            for (long row = block * perBlock; row < end; row += CHUNK) {
                int count = (int) Math.min(CHUNK, end - row);
                body.add(row * width, count, width, from, to, partial, 2 * block * width, (2 * block + 1) * width);
            }
        });
        double[] sums = new double[2 * channels];
        for (int block = 0; block < 2 * blocks; block++) {
            int target = (block & 1) * channels;
            for (int column = 0; column < width; column++) {
                sums[target + column % channels] += partial[block * width + column];
            }
        }
        long done = foldedRows * fold;
        body.add(done * channels, (int) (rows - done), channels, 0, channels, sums, 0, channels);
        return sums;
    }

    /** Rows read as one: the fewest whose channels fill strips evenly, a power of two. */
    static int fold(int channels) {
        return channels >= WIDE ? 1 : STRIP / Math.clamp(Integer.lowestOneBit(channels), 1, STRIP);
    }
}
