package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.ActivationBackward;

/** activation_backward.cu. */
final class ActivationBackwardCuda implements Kernel<ActivationBackward.Args> {
    private final KernelByDtype kernel;

    ActivationBackwardCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "activation_backward");
    }

    @Override
    public boolean supports(ActivationBackward.Args args) {
        return KernelByDtype.takes(args.saved(), args.dy(), args.dx());
    }

    @Override
    public void run(ActivationBackward.Args args) {
        kernel.with(args.dx())
                .tensor(args.saved())
                .tensor(args.dy())
                .tensor(args.dx())
                .i32(args.kind().ordinal())
                .i64(args.dx().elements())
                .cover(args.dx().elements(), 256, KernelByDtype.lanes(args.dx()));
    }
}
