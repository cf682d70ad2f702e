package io.quern.backend.cuda;

import io.quern.op.MaxPoolBackward;

/** max_pool.cu. */
final class MaxPoolBackwardCuda extends PoolCuda<MaxPoolBackward.Args> {
    MaxPoolBackwardCuda(CudaKernels kernels) {
        super(kernels, "max_pool_backward", Covered.PIXELS, 4);
    }

    @Override
    Call call(MaxPoolBackward.Args args) {
        return new Call(args.dx(), args.dy(), args.geometry(), false);
    }
}
