package io.quern.backend.vector;

import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;

/**
 * What all result rows of a forward pooling call have in common.
 *
 * @param x address of the image (N, H, W, C)
 * @param xEnd address behind it
 * @param y address of the result (N, P, Q, C)
 */
record PoolPlan(
        PoolGeometry geometry,
        PixelGroup group,
        long x,
        long xEnd,
        long y,
        long resultRows,
        int h,
        int w,
        int c,
        int p,
        int q) {
    static PoolPlan of(Tensor x, Tensor y, PoolGeometry geometry) {
        return new PoolPlan(
                geometry,
                PixelGroup.of(x.dim(3), geometry),
                x.address(),
                x.address() + 4 * x.elements(),
                y.address(),
                y.size(0) * y.size(1),
                x.dim(1),
                x.dim(2),
                x.dim(3),
                y.dim(1),
                y.dim(2));
    }

    /** Elements read for a result row. */
    int work() {
        return (int) Math.min(Integer.MAX_VALUE, (long) q * c * geometry.taps());
    }

    int p(long resultRow) {
        return (int) (resultRow % p);
    }

    /** Address of a result row's image. */
    long image(long resultRow) {
        return x + 4L * h * w * c * (resultRow / p);
    }

    long resultRow(long resultRow) {
        return y + 4L * q * c * resultRow;
    }

    /** How many pixels from result column j on are computed as a group, which must not read behind the image; 1 for none. */
    int group(int j, long window, int rows) {
        int count = group.count(geometry, j, q, w);
        long end = window + 4L * c * ((rows - 1L) * w + geometry.windowW() - 1) + 2L * Lanes.BYTES;
        return count > 1 && end <= xEnd ? count : 1;
    }
}
