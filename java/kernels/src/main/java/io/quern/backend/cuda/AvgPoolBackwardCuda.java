package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.AvgPoolBackward;

/** avg_pool.cu. */
final class AvgPoolBackwardCuda implements Kernel<AvgPoolBackward.Args> {
    private final CudaKernel kernel;

    AvgPoolBackwardCuda(CudaKernels kernels) {
        kernel = kernels.get("avg_pool_backward_f32");
    }

    @Override
    public boolean supports(AvgPoolBackward.Args args) {
        return Contiguous.floats(args.dy(), args.dx()) && StripLaunch.supported(args.dx());
    }

    @Override
    public void run(AvgPoolBackward.Args args) {
        Launch launch = kernel.with().tensor(args.dy()).tensor(args.dx()).flag(args.countPadding());
        PoolLaunch.run(launch, args.dx(), args.dy(), args.geometry(), args.dx());
    }
}
