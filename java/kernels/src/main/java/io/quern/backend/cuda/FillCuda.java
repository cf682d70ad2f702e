package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Fill;

/** fill.cu. */
final class FillCuda implements Kernel<Fill.Args> {
    private final CudaKernel kernel;

    FillCuda(CudaKernels kernels) {
        kernel = kernels.get("fill_f32");
    }

    @Override
    public boolean supports(Fill.Args args) {
        return Contiguous.floats(args.y());
    }

    @Override
    public void run(Fill.Args args) {
        kernel.with()
                .tensor(args.y())
                .f32(args.value())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
