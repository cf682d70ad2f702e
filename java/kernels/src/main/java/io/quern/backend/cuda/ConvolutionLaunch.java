package io.quern.backend.cuda;

import io.quern.op.Conv2dGeometry;
import io.quern.tensor.Tensor;

/** What the three passes of a convolution share: the last parameters of their kernels, and the choice of tiles. */
record ConvolutionLaunch(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry) {
    static final int BLOCK = 256;
    private static final int TILE = 64;
    /** With fewer channels per group, most of a tile would be empty. */
    private static final int LEAST_CHANNELS = 4;
    /** Kernels count pixels in 32 bits. */
    private static final long MOST_PIXELS = Integer.MAX_VALUE - TILE;

    boolean supported() {
        return imagePixels() <= MOST_PIXELS && resultPixels() <= MOST_PIXELS && filter.elements() <= MOST_PIXELS;
    }

    long imagePixels() {
        return image.size(0) * image.size(1) * image.size(2);
    }

    long resultPixels() {
        return result.size(0) * result.size(1) * result.size(2);
    }

    int groupC() {
        return filter.dim(2);
    }

    int groupK() {
        return filter.dim(3) / geometry.groups();
    }

    /** True when a thread per result is the better form: depthwise and nearly so. */
    boolean direct(int columns) {
        return columns < LEAST_CHANNELS;
    }

    /** Adds the extents and the geometry: convolution.cuh. */
    Launch problem(Launch launch) {
        return launch.i32(image.dim(0))
                .i32(image.dim(1))
                .i32(image.dim(2))
                .i32(image.dim(3))
                .i32(filter.dim(0))
                .i32(filter.dim(1))
                .i32(filter.dim(3))
                .i32(result.dim(1))
                .i32(result.dim(2))
                .i32(geometry.strideH())
                .i32(geometry.strideW())
                .i32(geometry.paddingH())
                .i32(geometry.paddingW())
                .i32(geometry.dilationH())
                .i32(geometry.dilationW())
                .i32(geometry.groups());
    }

    /** Launches a tile for every 64 rows and 64 columns of each group, and of each of some pieces of the sum. */
    void tiles(Launch launch, long rows, int columns, int pieces) {
        launch.run(Math.ceilDiv(rows, TILE), Math.ceilDiv(columns, TILE), (long) geometry.groups() * pieces, BLOCK, 0);
    }
}
