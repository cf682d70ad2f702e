package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.ActivationBackward;

/** activation_backward.cu. */
final class ActivationBackwardCuda implements Kernel<ActivationBackward.Args> {
    private final CudaKernel kernel;

    ActivationBackwardCuda(CudaKernels kernels) {
        kernel = kernels.get("activation_backward_f32");
    }

    @Override
    public boolean supports(ActivationBackward.Args args) {
        return Contiguous.floats(args.saved(), args.dy(), args.dx());
    }

    @Override
    public void run(ActivationBackward.Args args) {
        kernel.with()
                .tensor(args.saved())
                .tensor(args.dy())
                .tensor(args.dx())
                .i32(args.kind().ordinal())
                .i64(args.dx().elements())
                .cover(args.dx().elements(), 256, 4);
    }
}
