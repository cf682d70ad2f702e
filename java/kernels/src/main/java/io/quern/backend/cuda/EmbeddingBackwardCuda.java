package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.EmbeddingBackward;

/**
 * embedding.cu: lists of each row's positions, and a sum of each list. Rows with too many positions for a warp to put in
 * order are summed by blocks. An index outside the table is an error at the next wait.
 */
final class EmbeddingBackwardCuda implements Kernel<EmbeddingBackward.Args> {
    private static final int BLOCK = 128;
    private static final long MOST_BLOCKS = 65_535;
    /** Occurrences from which a row is left to a block: kListed and one. */
    private static final int FREQUENT = 33;
    /** Blocks along the rows of that many: enough to fill a GPU, and few enough to find quickly that there are no such rows. */
    static final int FREQUENT_BLOCKS = 512;

    private final CudaKernel clear;
    private final CudaKernel lists;
    private final KernelByDtype sums;
    private final KernelByDtype frequentSums;
    private final DeviceScratch scratch;

    EmbeddingBackwardCuda(CudaKernels kernels) {
        clear = kernels.overlapping("fill_f32");
        lists = kernels.overlapping("embedding_lists_f32");
        sums = KernelByDtype.overlapping(kernels, "embedding_backward");
        frequentSums = KernelByDtype.overlapping(kernels, "embedding_frequent");
        scratch = kernels.scratch();
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
        int count = Math.toIntExact(args.indices().elements());
        int rows = args.dtable().dim(0);
        int width = args.dtable().dim(1);
        int most = count / FREQUENT;
        // the heads of the lists, the number of frequent rows and these rows, and each position's next one in its list
        long heads = scratch.bytes((rows + 1L + most + count) * Integer.BYTES);
        long frequent = heads + (long) rows * Integer.BYTES;
        long next = frequent + (1L + most) * Integer.BYTES;
        clear.with().i64(heads).f32(0).i64(rows + 1L).cover(rows + 1L, 256, 4);
        lists.with()
                .tensor(args.indices())
                .i64(heads)
                .i64(next)
                .fault(EmbeddingBackward.OP, rows)
                .i32(count)
                .i32(rows)
                .cover(count, 256, 1);
        Launch rowSums = sums.with(args.dtable())
                .i64(heads)
                .i64(next)
                .i64(frequent)
                .tensor(args.dy())
                .tensor(args.dtable())
                .i32(rows)
                .i32(width);
        WarpRows.run(rowSums, rows);
        frequentSums
                .with(args.dtable())
                .i64(frequent)
                .tensor(args.indices())
                .tensor(args.dy())
                .tensor(args.dtable())
                .i32(count)
                .i32(width)
                .run(
                        Math.min(most, FREQUENT_BLOCKS),
                        Math.ceilDiv(width, BLOCK * KernelByDtype.lanes(args.dy())),
                        1,
                        BLOCK,
                        0);
    }
}
