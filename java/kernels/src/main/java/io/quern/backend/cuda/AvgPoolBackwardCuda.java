package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.AvgPoolBackward;

/** avg_pool.cu. */
final class AvgPoolBackwardCuda implements Kernel<AvgPoolBackward.Args> {
    private static final int STEPS = 2;

    private final KernelByDtype kernel;

    AvgPoolBackwardCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "avg_pool_backward");
    }

    @Override
    public boolean supports(AvgPoolBackward.Args args) {
        return KernelByDtype.takes(args.dy(), args.dx()) && StripLaunch.supported(args.dx());
    }

    @Override
    public void run(AvgPoolBackward.Args args) {
        Launch launch =
                kernel.with(args.dx()).tensor(args.dy()).tensor(args.dx()).flag(args.countPadding());
        PoolLaunch.run(
                launch,
                args.dx(),
                args.dy(),
                args.geometry(),
                PoolLaunch.Covered.PIXELS,
                StripLaunch.lanes(args.dx(), args.dy()),
                STEPS);
    }
}
