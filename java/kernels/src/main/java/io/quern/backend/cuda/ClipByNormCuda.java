package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.ClipByNorm;

/** clip_by_norm.cu. */
final class ClipByNormCuda implements Kernel<ClipByNorm.Args> {
    private final KernelByDtype kernel;

    ClipByNormCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "clip_by_norm");
    }

    @Override
    public boolean supports(ClipByNorm.Args args) {
        return KernelByDtype.takes(args.x(), args.y()) && Contiguous.floats(args.square());
    }

    @Override
    public void run(ClipByNorm.Args args) {
        kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.square())
                .tensor(args.y())
                .f32(args.limit())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
