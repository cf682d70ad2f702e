package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MaxPoolBackward;

/** max_pool.cu. */
final class MaxPoolBackwardCuda implements Kernel<MaxPoolBackward.Args> {
    private static final int STEPS = 4;

    private final KernelByDtype kernel;

    MaxPoolBackwardCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "max_pool_backward");
    }

    @Override
    public boolean supports(MaxPoolBackward.Args args) {
        return KernelByDtype.takes(args.x(), args.dy(), args.dx()) && StripLaunch.supported(args.dx());
    }

    @Override
    public void run(MaxPoolBackward.Args args) {
        Launch launch =
                kernel.with(args.dx()).tensor(args.x()).tensor(args.dy()).tensor(args.dx());
        PoolLaunch.run(
                launch,
                args.dx(),
                args.dy(),
                args.geometry(),
                PoolLaunch.Covered.PIXELS,
                StripLaunch.lanes(args.x(), args.dy(), args.dx()),
                STEPS);
    }
}
