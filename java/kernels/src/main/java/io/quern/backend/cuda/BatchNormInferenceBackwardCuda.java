package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BatchNormInferenceBackward;

/** batch_norm.cu. */
final class BatchNormInferenceBackwardCuda implements Kernel<BatchNormInferenceBackward.Args> {
    private final KernelByDtype sums;
    private final CudaKernel channels;
    private final KernelByDtype gradient;
    private final DeviceScratch scratch;

    BatchNormInferenceBackwardCuda(CudaKernels kernels) {
        sums = KernelByDtype.overlapping(kernels, "batch_norm_backward_sums");
        channels = kernels.overlapping("batch_norm_backward_channels_f32");
        gradient = KernelByDtype.overlapping(kernels, "batch_norm_inference_backward");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(BatchNormInferenceBackward.Args args) {
        return KernelByDtype.takes(args.x(), args.dy(), args.dx())
                && Contiguous.floats(args.gamma(), args.mean(), args.variance(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(BatchNormInferenceBackward.Args args) {
        int width = args.channels();
        if (args.dgamma() != null) {
            ColumnChunks chunks = ColumnChunks.of(args.x().elements() / Math.max(1, width), width);
            long partial = scratch.doubles(chunks.doubles());
            chunks.run(sums.with(args.x())
                    .tensor(args.x())
                    .tensor(args.dy())
                    .tensor(args.mean())
                    .i64(partial));
            chunks.runTotals(channels.with()
                    .i64(partial)
                    .tensor(null)
                    .tensor(args.variance())
                    .tensor(args.dgamma())
                    .tensor(args.dbeta())
                    .i32(width)
                    .i32(chunks.chunks())
                    .f64(args.epsilon()));
        }
        if (args.dx() != null) {
            int lanes = StripLaunch.lanes(args.dy(), args.dx());
            long rows = args.dx().elements() / Math.max(1, width);
            Launch launch = gradient.with(args.dx())
                    .tensor(args.dy())
                    .tensor(args.gamma())
                    .tensor(args.variance())
                    .tensor(args.dx())
                    .i64(rows)
                    .i32(width)
                    .f64(args.epsilon())
                    .i32(lanes);
            new ChannelLaunch(rows, width, lanes).run(launch);
        }
    }
}
