package io.quern.backend.cuda;

import io.quern.op.MaxPool;

/** max_pool.cu. */
final class MaxPoolCuda extends PoolCuda<MaxPool.Args> {
    MaxPoolCuda(CudaKernels kernels) {
        super(kernels, "max_pool", Covered.WINDOWS, 2);
    }

    @Override
    Call call(MaxPool.Args args) {
        return new Call(args.x(), args.y(), args.geometry(), false);
    }
}
