package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.SgdStep;

/** sgd_step.cu. */
final class SgdStepCuda implements Kernel<SgdStep.Args> {
    private final CudaKernel kernel;

    SgdStepCuda(CudaKernels kernels) {
        kernel = kernels.get("sgd_step_f32");
    }

    @Override
    public boolean supports(SgdStep.Args args) {
        return Contiguous.floats(args.parameter(), args.gradient(), args.velocity());
    }

    @Override
    public void run(SgdStep.Args args) {
        kernel.with()
                .tensor(args.parameter())
                .tensor(args.gradient())
                .tensor(args.velocity())
                .i64(args.parameter().elements())
                .f32(args.momentum())
                .flag(args.nesterov())
                .changing(args.rate(), 1 - args.rate() * args.decay(), 0, 0)
                .cover(args.parameter().elements(), 256, 1);
    }
}
