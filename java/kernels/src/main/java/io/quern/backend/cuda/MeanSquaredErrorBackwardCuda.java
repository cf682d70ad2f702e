package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MeanSquaredErrorBackward;

/** mean_squared_error.cu. */
final class MeanSquaredErrorBackwardCuda implements Kernel<MeanSquaredErrorBackward.Args> {
    private final CudaKernel kernel;

    MeanSquaredErrorBackwardCuda(CudaKernels kernels) {
        kernel = kernels.get("mean_squared_error_backward_f32");
    }

    @Override
    public boolean supports(MeanSquaredErrorBackward.Args args) {
        return Contiguous.floats(args.a(), args.b(), args.dy(), args.da());
    }

    @Override
    public void run(MeanSquaredErrorBackward.Args args) {
        kernel.with()
                .tensor(args.a())
                .tensor(args.b())
                .tensor(args.dy())
                .tensor(args.da())
                .i64(args.da().elements())
                .cover(args.da().elements(), 256, 1);
    }
}
