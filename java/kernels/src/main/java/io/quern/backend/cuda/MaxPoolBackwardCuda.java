package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MaxPoolBackward;

/** max_pool.cu. */
final class MaxPoolBackwardCuda implements Kernel<MaxPoolBackward.Args> {
    private final CudaKernel kernel;

    MaxPoolBackwardCuda(CudaKernels kernels) {
        kernel = kernels.get("max_pool_backward_f32");
    }

    @Override
    public boolean supports(MaxPoolBackward.Args args) {
        return Contiguous.floats(args.x(), args.dy(), args.dx()) && StripLaunch.supported(args.dx());
    }

    @Override
    public void run(MaxPoolBackward.Args args) {
        Launch launch = kernel.with().tensor(args.x()).tensor(args.dy()).tensor(args.dx());
        PoolLaunch.run(
                launch,
                args.dx(),
                args.dy(),
                args.geometry(),
                args.dx(),
                StripLaunch.lanes(args.x(), args.dy(), args.dx()));
    }
}
