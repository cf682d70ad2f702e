package io.quern.backend.cuda;

import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;

/** The parameters that all pooling kernels end with: pool.cuh. */
final class PoolLaunch {
    static final int BLOCK = 256;

    private PoolLaunch() {}

    /** @param covered the tensor with a thread for each element */
    static void run(Launch launch, Tensor image, Tensor result, PoolGeometry geometry, Tensor covered) {
        launch.i32(image.dim(1))
                .i32(image.dim(2))
                .i32(result.dim(1))
                .i32(result.dim(2))
                .i64(image.size(3))
                .i32(geometry.windowH())
                .i32(geometry.windowW())
                .i32(geometry.strideH())
                .i32(geometry.strideW())
                .i32(geometry.paddingH())
                .i32(geometry.paddingW())
                .cover(covered.elements(), BLOCK, 1);
    }
}
