package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.LayerNormBackward;

/** layer_norm.cu. */
final class LayerNormBackwardCuda implements Kernel<LayerNormBackward.Args> {
    /** Elements of dgamma that the partial sums of all chunks of rows have at most. */
    private static final long MOST_PARTIAL = 512 * 1024;

    private static final long LEAST_ROWS = 8;

    /** Elements of a row that a thread has at least, and threads of the largest block: layer_norm_backward_rows in layer_norm.cu. */
    private static final int LEAST_OWN = 4;

    private static final int MOST_THREADS = 512;

    private final KernelByDtype once;
    private final KernelByDtype gradient;
    private final KernelByDtype sums;
    private final CudaKernel columns;
    private final DeviceScratch scratch;

    LayerNormBackwardCuda(CudaKernels kernels) {
        once = KernelByDtype.overlapping(kernels, "layer_norm_backward_rows");
        gradient = KernelByDtype.overlapping(kernels, "layer_norm_backward");
        sums = KernelByDtype.overlapping(kernels, "layer_norm_backward_sums");
        columns = kernels.overlapping("layer_norm_backward_columns_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(LayerNormBackward.Args args) {
        return KernelByDtype.takes(args.x(), args.dy(), args.dx())
                && Contiguous.floats(args.gamma(), args.mean(), args.inverseDeviation(), args.dgamma(), args.dbeta());
    }

    @Override
    public void run(LayerNormBackward.Args args) {
        int n = args.columns();
        if (n % LEAST_OWN == 0 && n >= LEAST_OWN * 16 && n <= own(args) * MOST_THREADS) {
            once(args);
        } else {
            twice(args);
        }
    }

    /** Elements of a row that a thread has: packed_rows of packs.cuh. */
    private static int own(LayerNormBackward.Args args) {
        int lanes = KernelByDtype.lanes(args.x());
        return args.columns() % lanes == 0 && args.columns() >= 16 * lanes ? lanes : LEAST_OWN;
    }

    /** A block has a chunk of rows, whose number depends on the extents alone, as the order of the sums does. */
    private void once(LayerNormBackward.Args args) {
        int n = args.columns();
        long perChunk = Math.max(LEAST_ROWS, Math.ceilDiv(args.rows(), MOST_PARTIAL / n));
        int chunks = Math.toIntExact(Math.ceilDiv(args.rows(), perChunk));
        long partial = scratch.doubles(2L * chunks * n);
        once.with(args.x())
                .tensor(args.x())
                .tensor(args.dy())
                .tensor(args.gamma())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .tensor(args.dx())
                .i64(partial)
                .i64(args.rows())
                .i32(n)
                .i64(perChunk)
                .run(chunks, 1, 1, Math.ceilDiv(n, own(args) * 32) * 32, 0);
        columns(args, partial, chunks);
    }

    /** Columns and rows one after the other, which reads x and dy twice. */
    private void twice(LayerNormBackward.Args args) {
        ColumnChunks chunks = ColumnChunks.of(args.rows(), args.columns());
        long partial = scratch.doubles(chunks.doubles());
        chunks.run(sums.with(args.x())
                .tensor(args.x())
                .tensor(args.dy())
                .tensor(args.mean())
                .tensor(args.inverseDeviation())
                .i64(partial));
        columns(args, partial, chunks.chunks());
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

    private void columns(LayerNormBackward.Args args, long partial, int chunks) {
        columns.with()
                .i64(partial)
                .tensor(args.dgamma())
                .tensor(args.dbeta())
                .i32(args.columns())
                .i32(chunks)
                .run(Math.ceilDiv(2L * args.columns(), 32L), 1, 1, 1024, 0);
    }
}
