package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BatchNormInference;

/** batch_norm.cu. */
final class BatchNormInferenceCuda implements Kernel<BatchNormInference.Args> {
    private final KernelByDtype kernel;

    BatchNormInferenceCuda(CudaKernels kernels) {
        kernel = KernelByDtype.overlapping(kernels, "batch_norm_inference");
    }

    @Override
    public boolean supports(BatchNormInference.Args args) {
        return KernelByDtype.takes(args.x(), args.y())
                && Contiguous.floats(args.gamma(), args.beta(), args.mean(), args.variance());
    }

    @Override
    public void run(BatchNormInference.Args args) {
        int lanes = StripLaunch.lanes(args.x(), args.gamma(), args.beta(), args.mean(), args.y());
        long rows = args.y().elements() / Math.max(1, args.channels());
        Launch launch = kernel.with(args.y())
                .tensor(args.x())
                .tensor(args.gamma())
                .tensor(args.beta())
                .tensor(args.mean())
                .tensor(args.variance())
                .tensor(args.y())
                .i64(rows)
                .i32(args.channels())
                .f64(args.epsilon())
                .i32(lanes);
        new ChannelLaunch(rows, args.channels(), lanes).run(launch);
    }
}
