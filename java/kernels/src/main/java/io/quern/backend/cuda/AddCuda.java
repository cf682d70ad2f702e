package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Add;

/** add.cu. */
final class AddCuda implements Kernel<Add.Args> {
    private final CudaKernel kernel;

    AddCuda(CudaKernels kernels) {
        kernel = kernels.get("add_f32");
    }

    @Override
    public boolean supports(Add.Args args) {
        return Contiguous.floats(args.a(), args.b(), args.y());
    }

    @Override
    public void run(Add.Args args) {
        kernel.with()
                .tensor(args.a())
                .tensor(args.b())
                .tensor(args.y())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
