package io.quern.backend.cuda;

import io.quern.op.AvgPool;

/** avg_pool.cu. */
final class AvgPoolCuda extends PoolCuda<AvgPool.Args> {
    AvgPoolCuda(CudaKernels kernels) {
        super(kernels, "avg_pool", Covered.WINDOWS, 4);
    }

    @Override
    Call call(AvgPool.Args args) {
        return new Call(args.x(), args.y(), args.geometry(), args.countPadding());
    }
}
