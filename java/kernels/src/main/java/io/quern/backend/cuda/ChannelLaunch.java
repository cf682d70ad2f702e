package io.quern.backend.cuda;

/**
 * Grids of kernels whose threads keep their channels and walk along the rows of a (rows, channels) matrix: channels.cuh.
 *
 * @param lanes channels of a thread
 */
record ChannelLaunch(long rows, int channels, int lanes) {
    private static final int BLOCK = 256;
    /** Rows of a thread: enough to be worth its channels' constants. */
    private static final int ROWS = 8;

    private static final int MOST_BLOCKS = 65_535;

    /** Launches a kernel that calls map_channels and has all its arguments. */
    void run(Launch launch) {
        int threads = Math.ceilDiv(channels, lanes);
        // a power of two, so that rows fill the block
        int along = threads >= BLOCK ? BLOCK : Integer.highestOneBit(Math.max(1, 2 * threads - 1));
        int rowsAtOnce = BLOCK / along;
        long blocks = Math.min(Math.ceilDiv(rows, (long) rowsAtOnce * ROWS), MOST_BLOCKS);
        launch.run(Math.ceilDiv(threads, along), blocks, 1, along, rowsAtOnce, 0);
    }
}
