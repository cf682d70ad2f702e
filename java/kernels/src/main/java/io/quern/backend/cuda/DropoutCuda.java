package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Dropout;
import io.quern.op.DropoutMask;
import io.quern.tensor.Tensor;

/** dropout.cu. */
final class DropoutCuda implements Kernel<Dropout.Args> {
    private final CudaKernel kernel;

    DropoutCuda(CudaKernels kernels) {
        kernel = kernels.get("dropout_f32");
    }

    @Override
    public boolean supports(Dropout.Args args) {
        return Contiguous.floats(args.x(), args.y());
    }

    @Override
    public void run(Dropout.Args args) {
        launch(kernel, args.x(), args.y(), new DropoutMask(args.p(), args.rng()));
    }

    /** Also for ops that end with dropout; y may be x. */
    static void launch(CudaKernel kernel, Tensor x, Tensor y, DropoutMask mask) {
        kernel.with()
                .tensor(x)
                .tensor(y)
                .generator(mask.rng())
                .i32(mask.threshold())
                .f32(mask.scale())
                .i64(y.elements())
                .cover(y.elements(), 256, 8);
    }
}
