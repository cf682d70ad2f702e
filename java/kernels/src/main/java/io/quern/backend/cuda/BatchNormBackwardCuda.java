package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BatchNormBackward;

/** batch_norm.cu. */
final class BatchNormBackwardCuda implements Kernel<BatchNormBackward.Args> {
    private final CudaKernel sums;
    private final CudaKernel channels;
    private final CudaKernel gradient;
    private final DeviceScratch scratch;

    BatchNormBackwardCuda(CudaKernels kernels) {
        sums = kernels.get("batch_norm_backward_sums_f32");
        channels = kernels.get("batch_norm_backward_channels_f32");
        gradient = kernels.get("batch_norm_backward_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(BatchNormBackward.Args args) {
        return Contiguous.floats(args.x(), args.dy(), args.gamma(), args.mean(), args.inverseDeviation())
                && Contiguous.floats(args.dx(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(BatchNormBackward.Args args) {
        ColumnChunks chunks = ColumnChunks.of(args.count(), args.channels());
        long partial = scratch.doubles(chunks.doubles());
        chunks.run(sums.with()
                .tensor(args.x())
                .tensor(args.dy())
                .tensor(args.mean())
                .i64(partial));
        channels.with()
                .i64(partial)
                .tensor(args.inverseDeviation())
                .tensor(null)
                .tensor(args.dgamma())
                .tensor(args.dbeta())
                .i32(args.channels())
                .i32(chunks.chunks())
                .f64(0)
                .cover(args.channels(), 256, 1);
        if (args.dx() == null) {
            return;
        }
        int lanes = StripLaunch.lanes(args.x(), args.dy(), args.dx());
        Launch launch = gradient.with()
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
