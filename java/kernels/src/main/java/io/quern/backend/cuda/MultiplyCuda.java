package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Multiply;

/** multiply.cu. */
final class MultiplyCuda implements Kernel<Multiply.Args> {
    private final CudaKernel kernel;

    MultiplyCuda(CudaKernels kernels) {
        kernel = kernels.get("multiply_f32");
    }

    @Override
    public boolean supports(Multiply.Args args) {
        return Contiguous.floats(args.a(), args.b(), args.y());
    }

    @Override
    public void run(Multiply.Args args) {
        kernel.with()
                .tensor(args.a())
                .tensor(args.b())
                .tensor(args.y())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
