package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MaxPool;

/** max_pool.cu. */
final class MaxPoolCuda implements Kernel<MaxPool.Args> {
    private static final int STEPS = 2;

    private final KernelByDtype kernel;

    MaxPoolCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "max_pool");
    }

    @Override
    public boolean supports(MaxPool.Args args) {
        return KernelByDtype.takes(args.x(), args.y()) && StripLaunch.supported(args.y());
    }

    @Override
    public void run(MaxPool.Args args) {
        Launch launch = kernel.with(args.y()).tensor(args.x()).tensor(args.y());
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
