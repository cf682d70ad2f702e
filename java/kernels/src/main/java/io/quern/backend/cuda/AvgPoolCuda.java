package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.AvgPool;

/** avg_pool.cu. */
final class AvgPoolCuda implements Kernel<AvgPool.Args> {
    private final CudaKernel kernel;

    AvgPoolCuda(CudaKernels kernels) {
        kernel = kernels.get("avg_pool_f32");
    }

    @Override
    public boolean supports(AvgPool.Args args) {
        return Contiguous.floats(args.x(), args.y()) && StripLaunch.supported(args.y());
    }

    @Override
    public void run(AvgPool.Args args) {
        Launch launch = kernel.with().tensor(args.x()).tensor(args.y()).flag(args.countPadding());
        PoolLaunch.run(launch, args.x(), args.y(), args.geometry(), args.y());
    }
}
