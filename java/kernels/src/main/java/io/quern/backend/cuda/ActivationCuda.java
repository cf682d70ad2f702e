package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Activation;

/** activation.cu. */
final class ActivationCuda implements Kernel<Activation.Args> {
    private final KernelByDtype kernel;

    ActivationCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "activation");
    }

    @Override
    public boolean supports(Activation.Args args) {
        return KernelByDtype.takes(args.x(), args.y());
    }

    @Override
    public void run(Activation.Args args) {
        kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.y())
                .i32(args.kind().ordinal())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
