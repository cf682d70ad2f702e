package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Scale;

/** scale.cu. */
final class ScaleCuda implements Kernel<Scale.Args> {
    private final KernelByDtype kernel;

    ScaleCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "scale");
    }

    @Override
    public boolean supports(Scale.Args args) {
        return KernelByDtype.takes(args.x(), args.y());
    }

    @Override
    public void run(Scale.Args args) {
        kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.y())
                .f32(args.factor())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
