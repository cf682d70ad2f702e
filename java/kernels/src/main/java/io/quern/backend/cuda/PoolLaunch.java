package io.quern.backend.cuda;

import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;

/** The parameters that all pooling kernels end with: pool.cuh. */
final class PoolLaunch {
    private PoolLaunch() {}

    /** @param covered the tensor with a thread for each pixel, and the channels of 16 bytes where image and result allow it */
    static void run(Launch launch, Tensor image, Tensor result, PoolGeometry geometry, Tensor covered) {
        run(launch, image, result, geometry, covered, StripLaunch.lanes(image, result));
    }

    /** The same with the channels of a thread. */
    static void run(Launch launch, Tensor image, Tensor result, PoolGeometry geometry, Tensor covered, int lanes) {
        if (covered.elements() == 0) {
            return;
        }
        launch.words(
                Launch.pair(image.dim(1), image.dim(2)),
                Launch.pair(result.dim(1), result.dim(2)),
                Launch.pair(image.dim(3), geometry.windowH()),
                Launch.pair(geometry.windowW(), geometry.strideH()),
                Launch.pair(geometry.strideW(), geometry.paddingH()),
                Launch.pair(geometry.paddingW(), lanes),
                FastDivision.by(geometry.strideH()),
                FastDivision.by(geometry.strideW()));
        StripLaunch strips = new StripLaunch(covered, lanes, 1);
        strips.run(strips.add(launch));
    }
}
