package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BiasAdd;

/** bias_add.cu. */
final class BiasAddCuda implements Kernel<BiasAdd.Args> {
    private final CudaKernel kernel;

    BiasAddCuda(CudaKernels kernels) {
        kernel = kernels.get("bias_add_f32");
    }

    @Override
    public boolean supports(BiasAdd.Args args) {
        return Contiguous.floats(args.x(), args.bias(), args.y());
    }

    @Override
    public void run(BiasAdd.Args args) {
        kernel.with()
                .tensor(args.x())
                .tensor(args.bias())
                .tensor(args.y())
                .i64(args.y().elements())
                .i32(args.bias().dim(0))
                .cover(args.y().elements(), 256, 4);
    }
}
