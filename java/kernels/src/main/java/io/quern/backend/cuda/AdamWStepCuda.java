package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.AdamWStep;

/** adam_w_step.cu. */
final class AdamWStepCuda implements Kernel<AdamWStep.Args> {
    private final KernelByDtype kernel;

    AdamWStepCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "adam_w_step");
    }

    @Override
    public boolean supports(AdamWStep.Args args) {
        return KernelByDtype.takes(args.gradient())
                && Contiguous.floats(args.parameter(), args.moment1(), args.moment2());
    }

    @Override
    public void run(AdamWStep.Args args) {
        kernel.with(args.gradient())
                .tensor(args.parameter())
                .tensor(args.gradient())
                .tensor(args.moment1())
                .tensor(args.moment2())
                .i64(args.parameter().elements())
                .f32(args.beta1())
                .f32(1 - args.beta1())
                .f32(args.beta2())
                .f32(1 - args.beta2())
                .f32(args.epsilon())
                .changing(args.rate(), 1 - args.rate() * args.decay(), args.correction1(), args.correction2())
                .cover(args.parameter().elements(), 256, 4);
    }
}
