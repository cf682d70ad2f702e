package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Embedding;

/** embedding.cu. An index outside the table is an error at the next wait for the device. */
final class EmbeddingCuda implements Kernel<Embedding.Args> {
    private static final int WARP = 32;

    private final KernelByDtype kernel;

    EmbeddingCuda(CudaKernels kernels) {
        kernel = KernelByDtype.overlapping(kernels, "embedding");
    }

    @Override
    public boolean supports(Embedding.Args args) {
        return KernelByDtype.takes(args.table(), args.y())
                && Contiguous.integers(args.indices())
                && args.table().size(0) <= Integer.MAX_VALUE
                && args.table().size(1) <= Integer.MAX_VALUE;
    }

    @Override
    public void run(Embedding.Args args) {
        int rows = args.table().dim(0);
        int width = args.table().dim(1);
        long count = args.indices().elements();
        // threads of an index: a power of two, at most a warp
        int lanes = KernelByDtype.lanes(args.y());
        int items = width % lanes == 0 ? width / lanes : width;
        int log = Integer.SIZE - Integer.numberOfLeadingZeros(Math.min(Math.max(items, 1), WARP) - 1);
        kernel.with(args.y())
                .tensor(args.table())
                .tensor(args.indices())
                .tensor(args.y())
                .fault(Embedding.OP, rows)
                .i64(count)
                .i32(rows)
                .i32(width)
                .i32(log)
                .cover(count << log, 256, 1);
    }
}
