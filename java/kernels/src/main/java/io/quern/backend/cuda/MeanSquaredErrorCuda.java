package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.MeanSquaredError;

/** mean_squared_error.cu: a partial sum per block, then their sum. The cut depends on the size alone. */
final class MeanSquaredErrorCuda implements Kernel<MeanSquaredError.Args> {
    private static final int BLOCK = 256;
    private static final int PER_BLOCK = 4096;
    private static final int MOST_BLOCKS = 1024;

    private final KernelByDtype sums;
    private final CudaKernel finish;
    private final DeviceScratch scratch;

    MeanSquaredErrorCuda(CudaKernels kernels) {
        sums = new KernelByDtype(kernels, "mean_squared_error");
        finish = kernels.get("mean_squared_error_finish_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(MeanSquaredError.Args args) {
        return KernelByDtype.takes(args.a(), args.b()) && Contiguous.floats(args.y());
    }

    @Override
    public void run(MeanSquaredError.Args args) {
        long elements = args.a().elements();
        int blocks = Math.toIntExact(Math.clamp(Math.ceilDiv(elements, PER_BLOCK), 1, MOST_BLOCKS));
        long partial = scratch.doubles(blocks);
        sums.with(args.a())
                .tensor(args.a())
                .tensor(args.b())
                .i64(partial)
                .i64(elements)
                .run(blocks, 1, 1, BLOCK, 0);
        finish.with().i64(partial).tensor(args.y()).i32(blocks).f64(elements).run(1, 1, 1, BLOCK, 0);
    }
}
