package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.SoftmaxCrossEntropy;

/** softmax_cross_entropy.cu. */
final class SoftmaxCrossEntropyCuda implements Kernel<SoftmaxCrossEntropy.Args> {
    private final KernelByDtype rows;
    private final CudaKernel mean;
    private final DeviceScratch scratch;

    SoftmaxCrossEntropyCuda(CudaKernels kernels) {
        rows = KernelByDtype.overlapping(kernels, "softmax_cross_entropy");
        mean = kernels.overlapping("softmax_cross_entropy_mean_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(SoftmaxCrossEntropy.Args args) {
        return KernelByDtype.takes(args.logits())
                && Contiguous.floats(args.weights(), args.loss(), args.probabilities())
                && Contiguous.integers(args.labels());
    }

    @Override
    public void run(SoftmaxCrossEntropy.Args args) {
        long blocks = WarpRows.blocks(args.rows());
        long partial = scratch.doubles(2 * blocks);
        Launch launch = rows.with(args.logits())
                .tensor(args.logits())
                .tensor(args.labels())
                .tensor(args.weights())
                .tensor(args.probabilities())
                .i64(partial)
                .i64(args.rows())
                .i32(args.classes())
                .i32(args.ignoreIndex())
                .f64(args.labelSmoothing());
        WarpRows.run(launch, args.rows());
        mean.with().i64(partial).tensor(args.loss()).i64(blocks).run(1, 1, 1, 1024, 0);
    }
}
