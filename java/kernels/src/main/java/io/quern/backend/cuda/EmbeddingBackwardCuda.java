package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.EmbeddingBackward;

/** embedding.cu: zeros, then the sums of the rows that occur. An index outside the table is an error at the next wait. */
final class EmbeddingBackwardCuda implements Kernel<EmbeddingBackward.Args> {
    private static final int BLOCK = 128;
    private static final long MOST_BLOCKS = 65_535;

    private final KernelByDtype fill;
    private final KernelByDtype kernel;

    EmbeddingBackwardCuda(CudaKernels kernels) {
        fill = new KernelByDtype(kernels, "fill");
        kernel = new KernelByDtype(kernels, "embedding_backward");
    }

    @Override
    public boolean supports(EmbeddingBackward.Args args) {
        return KernelByDtype.takes(args.dy(), args.dtable())
                && Contiguous.integers(args.indices())
                && args.indices().elements() <= Integer.MAX_VALUE - BLOCK
                && args.dtable().size(0) <= Integer.MAX_VALUE
                && args.dtable().size(1) <= MOST_BLOCKS * BLOCK;
    }

    @Override
    public void run(EmbeddingBackward.Args args) {
        long elements = args.dtable().elements();
        int count = Math.toIntExact(args.indices().elements());
        int width = args.dtable().dim(1);
        fill.with(args.dtable()).tensor(args.dtable()).f32(0).i64(elements).cover(elements, 256, 4);
        kernel.with(args.dtable())
                .tensor(args.indices())
                .tensor(args.dy())
                .tensor(args.dtable())
                .fault(EmbeddingBackward.OP, args.dtable().size(0))
                .i32(count)
                .i32(args.dtable().dim(0))
                .i32(width)
                .run(count, Math.ceilDiv(width, BLOCK * KernelByDtype.lanes(args.dy())), 1, BLOCK, 0);
    }
}
