package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.LayerNormBackward;

/** layer_norm.cu. */
final class LayerNormBackwardCuda implements Kernel<LayerNormBackward.Args> {
    private final KernelByDtype gradient;
    private final KernelByDtype sums;
    private final CudaKernel columns;
    private final DeviceScratch scratch;

    LayerNormBackwardCuda(CudaKernels kernels) {
        gradient = new KernelByDtype(kernels, "layer_norm_backward");
        sums = new KernelByDtype(kernels, "layer_norm_backward_sums");
        columns = kernels.get("layer_norm_backward_columns_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(LayerNormBackward.Args args) {
        return KernelByDtype.takes(args.x(), args.dy(), args.dx())
                && Contiguous.floats(args.gamma(), args.mean(), args.inverseDeviation(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(LayerNormBackward.Args args) {
        ColumnChunks chunks = ColumnChunks.of(args.rows(), args.columns());
        long partial = scratch.doubles(chunks.doubles());
        chunks.run(sums.with(args.x())
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
            Launch launch = gradient.with(args.dx())
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
