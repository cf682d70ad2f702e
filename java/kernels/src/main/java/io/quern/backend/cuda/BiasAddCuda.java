package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BiasAdd;

/** bias_add.cu. */
final class BiasAddCuda implements Kernel<BiasAdd.Args> {
    private final KernelByDtype kernel;

    BiasAddCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "bias_add");
    }

    @Override
    public boolean supports(BiasAdd.Args args) {
        return KernelByDtype.takes(args.x(), args.bias(), args.y());
    }

    @Override
    public void run(BiasAdd.Args args) {
        kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.bias())
                .tensor(args.y())
                .i64(args.y().elements())
                .i32(args.bias().dim(0))
                .cover(args.y().elements(), 256, KernelByDtype.lanes(args.y()));
    }
}
