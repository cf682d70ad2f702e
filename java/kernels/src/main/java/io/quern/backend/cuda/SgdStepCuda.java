package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.SgdStep;

/** sgd_step.cu. */
final class SgdStepCuda implements Kernel<SgdStep.Args> {
    private final KernelByDtype kernel;

    SgdStepCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "sgd_step");
    }

    @Override
    public boolean supports(SgdStep.Args args) {
        return KernelByDtype.takes(args.gradient()) && Contiguous.floats(args.parameter(), args.velocity());
    }

    @Override
    public void run(SgdStep.Args args) {
        kernel.with(args.gradient())
                .tensor(args.parameter())
                .tensor(args.gradient())
                .tensor(args.velocity())
                .i64(args.parameter().elements())
                .f32(args.momentum())
                .flag(args.nesterov())
                .changing(args.rate(), 1 - args.rate() * args.decay(), 0, 0)
                .cover(args.parameter().elements(), 256, 4);
    }
}
