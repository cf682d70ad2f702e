package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MeanSquaredErrorBackward;

/** mean_squared_error.cu. */
final class MeanSquaredErrorBackwardCuda implements Kernel<MeanSquaredErrorBackward.Args> {
    private final KernelByDtype kernel;

    MeanSquaredErrorBackwardCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "mean_squared_error_backward");
    }

    @Override
    public boolean supports(MeanSquaredErrorBackward.Args args) {
        return KernelByDtype.takes(args.a(), args.b(), args.da()) && Contiguous.floats(args.dy());
    }

    @Override
    public void run(MeanSquaredErrorBackward.Args args) {
        kernel.with(args.da())
                .tensor(args.a())
                .tensor(args.b())
                .tensor(args.dy())
                .tensor(args.da())
                .i64(args.da().elements())
                .cover(args.da().elements(), 256, KernelByDtype.lanes(args.da()));
    }
}
