package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.ArgMax;

/** arg_max.cu. */
final class ArgMaxCuda implements Kernel<ArgMax.Args> {
    private final CudaKernel kernel;

    ArgMaxCuda(CudaKernels kernels) {
        kernel = kernels.get("arg_max_f32");
    }

    @Override
    public boolean supports(ArgMax.Args args) {
        return Contiguous.floats(args.x()) && Contiguous.integers(args.y());
    }

    @Override
    public void run(ArgMax.Args args) {
        kernel.with()
                .tensor(args.x())
                .tensor(args.y())
                .i64(args.y().elements())
                .i32(args.x().dim(-1))
                .cover(args.y().elements() * 32, 256, 1);
    }
}
