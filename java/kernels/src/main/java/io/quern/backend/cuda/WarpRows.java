package io.quern.backend.cuda;

/** Kernels with a warp per row, four rows per block: warp_row in sums.cuh. */
final class WarpRows {
    private static final int BLOCK = 128;

    private WarpRows() {}

    /** Blocks of such a launch. */
    static long blocks(long rows) {
        return Math.ceilDiv(rows, (long) BLOCK / 32);
    }

    static void run(Launch launch, long rows) {
        launch.cover(rows * 32, BLOCK, 1);
    }
}
