package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Multiply;

/** multiply.cu. */
final class MultiplyCuda implements Kernel<Multiply.Args> {
    private final KernelByDtype kernel;

    MultiplyCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "multiply");
    }

    @Override
    public boolean supports(Multiply.Args args) {
        return KernelByDtype.takes(args.a(), args.b(), args.y());
    }

    @Override
    public void run(Multiply.Args args) {
        kernel.with(args.y())
                .tensor(args.a())
                .tensor(args.b())
                .tensor(args.y())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
