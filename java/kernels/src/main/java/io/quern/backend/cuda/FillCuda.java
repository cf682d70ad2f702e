package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Fill;

/** fill.cu. */
final class FillCuda implements Kernel<Fill.Args> {
    private final KernelByDtype kernel;

    FillCuda(CudaKernels kernels) {
        kernel = KernelByDtype.overlapping(kernels, "fill");
    }

    @Override
    public boolean supports(Fill.Args args) {
        return KernelByDtype.takes(args.y());
    }

    @Override
    public void run(Fill.Args args) {
        kernel.with(args.y())
                .tensor(args.y())
                .f32(args.value())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
