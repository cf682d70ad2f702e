package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.SoftmaxBackward;

/** softmax.cu. */
final class SoftmaxBackwardCuda implements Kernel<SoftmaxBackward.Args> {
    private final KernelByDtype kernel;

    SoftmaxBackwardCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "softmax_backward");
    }

    @Override
    public boolean supports(SoftmaxBackward.Args args) {
        return KernelByDtype.takes(args.y(), args.dy(), args.dx());
    }

    @Override
    public void run(SoftmaxBackward.Args args) {
        Launch launch = kernel.with(args.dx())
                .tensor(args.y())
                .tensor(args.dy())
                .tensor(args.dx())
                .i64(args.rows())
                .i32(args.columns());
        WarpRows.run(launch, args.rows());
    }
}
