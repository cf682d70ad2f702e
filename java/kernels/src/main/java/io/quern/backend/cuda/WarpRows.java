package io.quern.backend.cuda;

/** Kernels with a warp per row, four rows per block: warp_row in sums.cuh. */
final class WarpRows {
    private static final int BLOCK = 128;

    private WarpRows() {}

    static void run(Launch launch, long rows) {
        launch.cover(rows * 32, BLOCK, 1);
    }
}
