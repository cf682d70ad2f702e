package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Softmax;

/** softmax.cu. */
final class SoftmaxCuda implements Kernel<Softmax.Args> {
    private final KernelByDtype kernel;

    SoftmaxCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "softmax");
    }

    @Override
    public boolean supports(Softmax.Args args) {
        return KernelByDtype.takes(args.x(), args.y());
    }

    @Override
    public void run(Softmax.Args args) {
        Launch launch = kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.y())
                .i64(args.rows())
                .i32(args.columns());
        WarpRows.run(launch, args.rows());
    }
}
