package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Scale;

/** scale.cu. */
final class ScaleCuda implements Kernel<Scale.Args> {
    private final CudaKernel kernel;

    ScaleCuda(CudaKernels kernels) {
        kernel = kernels.get("scale_f32");
    }

    @Override
    public boolean supports(Scale.Args args) {
        return Contiguous.floats(args.x(), args.y());
    }

    @Override
    public void run(Scale.Args args) {
        kernel.with()
                .tensor(args.x())
                .tensor(args.y())
                .f32(args.factor())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
