package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Add;

/** add.cu. */
final class AddCuda implements Kernel<Add.Args> {
    private final KernelByDtype kernel;

    AddCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "add");
    }

    @Override
    public boolean supports(Add.Args args) {
        return KernelByDtype.takes(args.a(), args.b(), args.y());
    }

    @Override
    public void run(Add.Args args) {
        kernel.with(args.y())
                .tensor(args.a())
                .tensor(args.b())
                .tensor(args.y())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
