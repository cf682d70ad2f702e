package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.ClipByNorm;

/** clip_by_norm.cu. */
final class ClipByNormCuda implements Kernel<ClipByNorm.Args> {
    private final CudaKernel kernel;

    ClipByNormCuda(CudaKernels kernels) {
        kernel = kernels.get("clip_by_norm_f32");
    }

    @Override
    public boolean supports(ClipByNorm.Args args) {
        return Contiguous.floats(args.x(), args.square(), args.y());
    }

    @Override
    public void run(ClipByNorm.Args args) {
        kernel.with()
                .tensor(args.x())
                .tensor(args.square())
                .tensor(args.y())
                .f32(args.limit())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
