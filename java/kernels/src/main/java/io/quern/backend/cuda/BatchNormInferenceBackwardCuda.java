package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.BatchNormInferenceBackward;

/** batch_norm.cu. */
final class BatchNormInferenceBackwardCuda implements Kernel<BatchNormInferenceBackward.Args> {
    private final CudaKernel sums;
    private final CudaKernel channels;
    private final CudaKernel gradient;
    private final DeviceScratch scratch;

    BatchNormInferenceBackwardCuda(CudaKernels kernels) {
        sums = kernels.get("batch_norm_backward_sums_f32");
        channels = kernels.get("batch_norm_backward_channels_f32");
        gradient = kernels.get("batch_norm_inference_backward_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(BatchNormInferenceBackward.Args args) {
        return Contiguous.floats(args.x(), args.dy(), args.gamma(), args.mean(), args.variance())
                && Contiguous.floats(args.dx(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(BatchNormInferenceBackward.Args args) {
        int width = args.channels();
        if (args.dgamma() != null) {
            ColumnChunks chunks = ColumnChunks.of(args.x().elements() / Math.max(1, width), width);
            long partial = scratch.doubles(chunks.doubles());
            chunks.run(sums.with()
                    .tensor(args.x())
                    .tensor(args.dy())
                    .tensor(args.mean())
                    .i64(partial));
            channels.with()
                    .i64(partial)
                    .tensor(null)
                    .tensor(args.variance())
                    .tensor(args.dgamma())
                    .tensor(args.dbeta())
                    .i32(width)
                    .i32(chunks.chunks())
                    .f64(args.epsilon())
                    .cover(width, 256, 1);
        }
        if (args.dx() != null) {
            int lanes = StripLaunch.lanes(args.dy(), args.dx());
            long rows = args.dx().elements() / Math.max(1, width);
            Launch launch = gradient.with()
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
