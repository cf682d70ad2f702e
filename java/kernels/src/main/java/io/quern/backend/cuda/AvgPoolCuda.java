package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.AvgPool;

/** avg_pool.cu. */
final class AvgPoolCuda implements Kernel<AvgPool.Args> {
    private static final int STEPS = 4;

    private final KernelByDtype kernel;

    AvgPoolCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "avg_pool");
    }

    @Override
    public boolean supports(AvgPool.Args args) {
        return KernelByDtype.takes(args.x(), args.y()) && StripLaunch.supported(args.y());
    }

    @Override
    public void run(AvgPool.Args args) {
        Launch launch = kernel.with(args.y()).tensor(args.x()).tensor(args.y()).flag(args.countPadding());
        PoolLaunch.run(
                launch,
                args.x(),
                args.y(),
                args.geometry(),
                PoolLaunch.Covered.WINDOWS,
                StripLaunch.lanes(args.x(), args.y()),
                STEPS);
    }
}
