package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Dropout;
import io.quern.op.DropoutMask;

/** dropout.cu. */
final class DropoutCuda implements Kernel<Dropout.Args> {
    private final KernelByDtype kernel;

    DropoutCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "dropout");
    }

    @Override
    public boolean supports(Dropout.Args args) {
        return KernelByDtype.takes(args.x(), args.y());
    }

    @Override
    public void run(Dropout.Args args) {
        DropoutMask mask = new DropoutMask(args.p(), args.rng());
        kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.y())
                .generator(mask.rng())
                .i32(mask.threshold())
                .f32(mask.scale())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 8);
    }
}
