package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.LayerNormBackward;

/** layer_norm.cu. */
final class LayerNormBackwardCuda implements Kernel<LayerNormBackward.Args> {
    private final CudaKernel gradient;
    private final CudaKernel sums;
    private final CudaKernel columns;
    private final DeviceScratch scratch;

    LayerNormBackwardCuda(CudaKernels kernels) {
        gradient = kernels.get("layer_norm_backward_f32");
        sums = kernels.get("layer_norm_backward_sums_f32");
        columns = kernels.get("layer_norm_backward_columns_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(LayerNormBackward.Args args) {
        return Contiguous.floats(args.x(), args.dy(), args.gamma(), args.mean(), args.inverseDeviation())
                && Contiguous.floats(args.dx(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(LayerNormBackward.Args args) {
        ColumnChunks chunks = ColumnChunks.of(args.rows(), args.columns());
        long partial = scratch.doubles(chunks.doubles());
        chunks.run(sums.with()
                .tensor(args.x())
                .tensor(args.dy())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .i64(partial));
        columns.with()
                .i64(partial)
                .tensor(args.dgamma())
                .tensor(args.dbeta())
                .i32(args.columns())
                .i32(chunks.chunks())
                .cover(args.columns(), 256, 1);
        if (args.dx() != null) { // last: it may overwrite dy
            Launch launch = gradient.with()
                    .tensor(args.x())
                    .tensor(args.dy())
                    .tensor(args.gamma())
                    .tensor(args.mean())
                    .tensor(args.inverseDeviation())
                    .tensor(args.dx())
                    .i64(args.rows())
                    .i32(args.columns());
            WarpRows.run(launch, args.rows());
        }
    }
}
