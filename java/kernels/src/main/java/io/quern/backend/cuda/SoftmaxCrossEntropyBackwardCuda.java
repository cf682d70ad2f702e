package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.SoftmaxCrossEntropyBackward;

/** softmax_cross_entropy.cu. */
final class SoftmaxCrossEntropyBackwardCuda implements Kernel<SoftmaxCrossEntropyBackward.Args> {
    private final CudaKernel totals;
    private final KernelByDtype gradient;
    private final DeviceScratch scratch;

    SoftmaxCrossEntropyBackwardCuda(CudaKernels kernels) {
        totals = kernels.overlapping("softmax_cross_entropy_totals_f32");
        gradient = KernelByDtype.overlapping(kernels, "softmax_cross_entropy_backward");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(SoftmaxCrossEntropyBackward.Args args) {
        return KernelByDtype.takes(args.dlogits())
                && Contiguous.floats(args.probabilities(), args.weights(), args.dloss())
                && Contiguous.integers(args.labels());
    }

    @Override
    public void run(SoftmaxCrossEntropyBackward.Args args) {
        long sums = scratch.doubles(2);
        totals.with()
                .tensor(args.labels())
                .tensor(args.weights())
                .i64(sums)
                .i64(args.rows())
                .i32(args.classes())
                .i32(args.ignoreIndex())
                .run(1, 1, 1, 1024, 0);
        Launch launch = gradient.with(args.dlogits())
                .tensor(args.probabilities())
                .tensor(args.labels())
                .tensor(args.weights())
                .tensor(args.dloss())
                .i64(sums)
                .tensor(args.dlogits())
                .i64(args.rows())
                .i32(args.classes())
                .i32(args.ignoreIndex())
                .f64(args.labelSmoothing());
        WarpRows.run(launch, args.rows());
    }
}
