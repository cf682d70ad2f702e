package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.OpArgs;
import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;
import java.util.List;

/** A pass of a pool: the kernels that QUERN_POOL_KERNEL of pool.cuh makes, which take the pass's tensors, Pool and Strips. */
abstract class PoolCuda<A extends OpArgs> implements Kernel<A> {
    /** What the threads of a kernel share among themselves. */
    enum Covered {
        /** The windows, for results. */
        WINDOWS,
        /** The pixels of the image, for gradients. */
        PIXELS
    }

    /** The arguments that all pools have; image and result are those of the forward pass, or their gradients. */
    record Call(Tensor image, Tensor result, PoolGeometry geometry, boolean countPadding) {}

    private final KernelByDtype kernel;
    private final Covered covered;
    private final int steps;

    /** @param steps rows of windows, or of cells, that a thread takes one after the other where the geometry is compiled */
    PoolCuda(CudaKernels kernels, String stem, Covered covered, int steps) {
        kernel = KernelByDtype.overlapping(kernels, stem);
        this.covered = covered;
        this.steps = steps;
    }

    /** The call as all pools have it. */
    abstract Call call(A args);

    @Override
    public final boolean supports(A args) {
        return KernelByDtype.takes(tensors(args)) && StripLaunch.supported(written(args));
    }

    @Override
    public final void run(A args) {
        Tensor written = written(args);
        if (written.elements() == 0) {
            return;
        }
        Tensor[] tensors = tensors(args);
        Launch launch = kernel.with(written);
        for (Tensor tensor : tensors) {
            launch.tensor(tensor);
        }
        Call call = call(args);
        Tensor image = call.image();
        Tensor result = call.result();
        PoolGeometry geometry = call.geometry();
        int lanes = StripLaunch.lanes(tensors);
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
                Launch.pair(compiled ? steps : 0, call.countPadding() ? 1 : 0));
        StripLaunch strips = new StripLaunch(written, lanes, 1);
        if (compiled) {
            boolean pixels = covered == Covered.PIXELS;
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

    /** In the order of the kernel's parameters. */
    private static Tensor[] tensors(OpArgs args) {
        List<Tensor> inputs = args.inputs();
        Tensor[] tensors = inputs.toArray(new Tensor[inputs.size() + 1]);
        tensors[inputs.size()] = written(args);
        return tensors;
    }

    private static Tensor written(OpArgs args) {
        return args.outputs().getFirst();
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
