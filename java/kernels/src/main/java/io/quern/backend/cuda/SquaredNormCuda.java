package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.SquaredNorm;

/** squared_norm.cu: a partial sum per 16384 elements, then their sum. */
final class SquaredNormCuda implements Kernel<SquaredNorm.Args> {
    private static final int PER_BLOCK = 16_384;

    private final KernelByDtype sums;
    private final CudaKernel finish;
    private final DeviceScratch scratch;

    SquaredNormCuda(CudaKernels kernels) {
        sums = new KernelByDtype(kernels, "squared_norm");
        finish = kernels.get("squared_norm_finish_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(SquaredNorm.Args args) {
        return KernelByDtype.takes(args.x()) && Contiguous.floats(args.y());
    }

    @Override
    public void run(SquaredNorm.Args args) {
        long elements = args.x().elements();
        int blocks = Math.toIntExact(Math.ceilDiv(elements, (long) PER_BLOCK));
        long partial = scratch.bytes((long) blocks * Float.BYTES);
        sums.with(args.x()).tensor(args.x()).i64(partial).i64(elements).run(blocks, 1, 1, 256, 0);
        finish.with().i64(partial).tensor(args.y()).i32(blocks).run(1, 1, 1, 256, 0);
    }
}
