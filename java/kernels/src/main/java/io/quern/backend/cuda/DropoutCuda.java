package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Dropout;
import io.quern.op.DropoutMask;

/** dropout.cu. */
final class DropoutCuda implements Kernel<Dropout.Args> {
    private final CudaKernel kernel;

    DropoutCuda(CudaKernels kernels) {
        kernel = kernels.get("dropout_f32");
    }

    @Override
    public boolean supports(Dropout.Args args) {
        return Contiguous.floats(args.x(), args.y());
    }

    @Override
    public void run(Dropout.Args args) {
        DropoutMask mask = new DropoutMask(args.p(), args.rng());
        kernel.with()
                .tensor(args.x())
                .tensor(args.y())
                .rng(mask.rng())
                .tensor(null)
                .i32(mask.threshold())
                .f32(mask.scale())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 8);
    }
}
