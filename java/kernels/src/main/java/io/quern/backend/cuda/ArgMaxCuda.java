package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.ArgMax;

/** arg_max.cu. */
final class ArgMaxCuda implements Kernel<ArgMax.Args> {
    private final KernelByDtype kernel;

    ArgMaxCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "arg_max");
    }

    @Override
    public boolean supports(ArgMax.Args args) {
        return KernelByDtype.takes(args.x()) && Contiguous.integers(args.y());
    }

    @Override
    public void run(ArgMax.Args args) {
        kernel.with(args.x())
                .tensor(args.x())
                .tensor(args.y())
                .i64(args.y().elements())
                .i32(args.x().dim(-1))
                .cover(args.y().elements() * 32, 256, 1);
    }
}
