package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Softmax;

/** softmax.cu. */
final class SoftmaxCuda implements Kernel<Softmax.Args> {
    private final CudaKernel kernel;

    SoftmaxCuda(CudaKernels kernels) {
        kernel = kernels.get("softmax_f32");
    }

    @Override
    public boolean supports(Softmax.Args args) {
        return Contiguous.floats(args.x(), args.y());
    }

    @Override
    public void run(Softmax.Args args) {
        Launch launch =
                kernel.with().tensor(args.x()).tensor(args.y()).i64(args.rows()).i32(args.columns());
        WarpRows.run(launch, args.rows());
    }
}
