package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MaxPool;

/** max_pool.cu. */
final class MaxPoolCuda implements Kernel<MaxPool.Args> {
    private final CudaKernel kernel;

    MaxPoolCuda(CudaKernels kernels) {
        kernel = kernels.get("max_pool_f32");
    }

    @Override
    public boolean supports(MaxPool.Args args) {
        return Contiguous.floats(args.x(), args.y()) && StripLaunch.supported(args.y());
    }

    @Override
    public void run(MaxPool.Args args) {
        Launch launch = kernel.with().tensor(args.x()).tensor(args.y());
        PoolLaunch.run(launch, args.x(), args.y(), args.geometry(), args.y());
    }
}
