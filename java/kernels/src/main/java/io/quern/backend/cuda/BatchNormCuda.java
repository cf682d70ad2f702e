package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BatchNorm;

/** batch_norm.cu. */
final class BatchNormCuda implements Kernel<BatchNorm.Args> {
    private final KernelByDtype sums;
    private final CudaKernel statistics;
    private final KernelByDtype normalize;
    private final DeviceScratch scratch;

    BatchNormCuda(CudaKernels kernels) {
        sums = KernelByDtype.overlapping(kernels, "batch_norm_sums");
        statistics = kernels.overlapping("batch_norm_statistics_f32");
        normalize = KernelByDtype.overlapping(kernels, "batch_norm");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(BatchNorm.Args args) {
        return KernelByDtype.takes(args.x(), args.y())
                && Contiguous.floats(args.gamma(), args.beta(), args.runningMean(), args.runningVariance())
                && Contiguous.floats(args.mean(), args.inverseDeviation());
    }

    @Override
    public void run(BatchNorm.Args args) {
        ColumnChunks chunks = ColumnChunks.of(args.count(), args.channels());
        long partial = scratch.doubles(chunks.doubles());
        chunks.run(sums.with(args.x()).tensor(args.x()).i64(partial));
        chunks.runTotals(statistics
                .with()
                .i64(partial)
                .tensor(args.runningMean())
                .tensor(args.runningVariance())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .i64(args.count())
                .i32(args.channels())
                .i32(chunks.chunks())
                .f64(args.epsilon())
                .f64(args.momentum()));
        int lanes =
                StripLaunch.lanes(args.x(), args.gamma(), args.beta(), args.mean(), args.inverseDeviation(), args.y());
        Launch launch = normalize
                .with(args.y())
                .tensor(args.x())
                .tensor(args.gamma())
                .tensor(args.beta())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .tensor(args.y())
                .i64(args.count())
                .i32(args.channels())
                .i32(lanes);
        new ChannelLaunch(args.count(), args.channels(), lanes).run(launch);
    }
}
