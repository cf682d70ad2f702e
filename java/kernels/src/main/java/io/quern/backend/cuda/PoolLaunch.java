package io.quern.backend.cuda;

import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;

/** The parameters that all pooling kernels end with: pool.cuh. */
final class PoolLaunch {
    private PoolLaunch() {}

    /** What the threads of a kernel share among themselves. */
    enum Covered {
        /** The windows, for results. */
        WINDOWS,
        /** The pixels of the image, for gradients. */
        PIXELS
    }

    /**
     * @param lanes channels of a thread, {@link StripLaunch#lanes}
     * @param steps rows of windows, or of cells, that a thread takes one after the other where the geometry is compiled
     */
    static void run(
            Launch launch, Tensor image, Tensor result, PoolGeometry geometry, Covered covered, int lanes, int steps) {
        boolean pixels = covered == Covered.PIXELS;
        if ((pixels ? image : result).elements() == 0) {
            return;
        }
        // those kernels find their place in a row in 32 bits
        boolean compiled = compiled(geometry) && image.size(2) * image.size(3) <= Integer.MAX_VALUE;
        launch.words(
                Launch.pair(image.dim(1), image.dim(2)),
                Launch.pair(result.dim(1), result.dim(2)),
                Launch.pair(image.dim(3), geometry.windowH()),
                Launch.pair(geometry.windowW(), geometry.strideH()),
                Launch.pair(geometry.strideW(), geometry.paddingH()),
                Launch.pair(geometry.paddingW(), lanes),
                FastDivision.by(geometry.strideH()),
                FastDivision.by(geometry.strideW()),
                Launch.pair(compiled ? steps : 0, 0));
        StripLaunch strips = new StripLaunch(pixels ? image : result, lanes, 1);
        if (compiled) {
            int rows = pixels
                    ? cells(image.dim(1), geometry.windowH(), geometry.strideH(), geometry.paddingH())
                    : result.dim(1);
            int columns = pixels
                    ? cells(image.dim(2), geometry.windowW(), geometry.strideW(), geometry.paddingW())
                    : result.dim(2);
            strips = new StripLaunch(strips.images(), Math.ceilDiv(rows, steps), columns, strips.packs());
        }
        strips.run(strips.add(launch));
    }

    /** True for the geometries that pool_thread of pool.cuh knows. */
    private static boolean compiled(PoolGeometry geometry) {
        int window = geometry.windowH();
        return (window == 2 || window == 3)
                && geometry.windowW() == window
                && geometry.strideH() == 2
                && geometry.strideW() == 2;
    }

    /** Cells along an axis, the first of which begins where Cells::first_window of pool.cuh says. */
    private static int cells(int extent, int window, int stride, int padding) {
        int firstWindow = 1 - Math.ceilDiv(window - padding, stride);
        int start = firstWindow * stride - padding + window - stride;
        return Math.ceilDiv(extent - start, stride);
    }
}
