package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.LayerNorm;

/** layer_norm.cu. */
final class LayerNormCuda implements Kernel<LayerNorm.Args> {
    private final KernelByDtype kernel;

    LayerNormCuda(CudaKernels kernels) {
        kernel = KernelByDtype.overlapping(kernels, "layer_norm");
    }

    @Override
    public boolean supports(LayerNorm.Args args) {
        return KernelByDtype.takes(args.x(), args.y())
                && Contiguous.floats(args.gamma(), args.beta(), args.mean(), args.inverseDeviation());
    }

    @Override
    public void run(LayerNorm.Args args) {
        Launch launch = kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.gamma())
                .tensor(args.beta())
                .tensor(args.y())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .i64(args.rows())
                .i32(args.columns())
                .f64(args.epsilon());
        WarpRows.run(launch, args.rows());
    }
}
