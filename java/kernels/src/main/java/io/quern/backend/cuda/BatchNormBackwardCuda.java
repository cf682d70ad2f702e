package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BatchNormBackward;

/** batch_norm.cu. */
final class BatchNormBackwardCuda implements Kernel<BatchNormBackward.Args> {
    private final KernelByDtype sums;
    private final CudaKernel channels;
    private final KernelByDtype gradient;
    private final DeviceScratch scratch;

    BatchNormBackwardCuda(CudaKernels kernels) {
        sums = KernelByDtype.overlapping(kernels, "batch_norm_backward_sums");
        channels = kernels.overlapping("batch_norm_backward_channels_f32");
        gradient = KernelByDtype.overlapping(kernels, "batch_norm_backward");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(BatchNormBackward.Args args) {
        return KernelByDtype.takes(args.x(), args.dy(), args.dx())
                && Contiguous.floats(args.gamma(), args.mean(), args.inverseDeviation(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(BatchNormBackward.Args args) {
        ColumnChunks chunks = ColumnChunks.of(args.count(), args.channels());
        long partial = scratch.doubles(chunks.doubles());
        chunks.run(sums.with(args.x())
                .tensor(args.x())
                .tensor(args.dy())
                .tensor(args.mean())
                .i64(partial));
        chunks.runTotals(channels.with()
                .i64(partial)
                .tensor(args.inverseDeviation())
                .tensor(null)
                .tensor(args.dgamma())
                .tensor(args.dbeta())
                .i32(args.channels())
                .i32(chunks.chunks())
                .f64(0));
        if (args.dx() == null) {
            return;
        }
        int lanes = StripLaunch.lanes(args.x(), args.dy(), args.dx());
        Launch launch = gradient.with(args.dx())
                .tensor(args.x())
                .tensor(args.dy())
                .tensor(args.gamma())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .tensor(args.dgamma())
                .tensor(args.dbeta())
                .tensor(args.dx())
                .i64(args.count())
                .i32(args.channels())
                .i32(lanes);
        new ChannelLaunch(args.count(), args.channels(), lanes).run(launch);
    }
}
