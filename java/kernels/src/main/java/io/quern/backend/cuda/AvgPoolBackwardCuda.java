package io.quern.backend.cuda;

import io.quern.op.AvgPoolBackward;

/** avg_pool.cu. */
final class AvgPoolBackwardCuda extends PoolCuda<AvgPoolBackward.Args> {
    AvgPoolBackwardCuda(CudaKernels kernels) {
        super(kernels, "avg_pool_backward", Covered.PIXELS, 2);
    }

    @Override
    Call call(AvgPoolBackward.Args args) {
        return new Call(args.dx(), args.dy(), args.geometry(), args.countPadding());
    }
}
