package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.EmbeddingBackward;

/** embedding.cu. */
final class EmbeddingBackwardCuda implements Kernel<EmbeddingBackward.Args> {
    private final CudaKernel kernel;

    EmbeddingBackwardCuda(CudaKernels kernels) {
        kernel = kernels.get("embedding_backward_f32");
    }

    @Override
    public boolean supports(EmbeddingBackward.Args args) {
        return Contiguous.floats(args.dy(), args.dtable()) && Contiguous.integers(args.indices());
    }

    @Override
    public void run(EmbeddingBackward.Args args) {
        kernel.with()
                .tensor(args.indices())
                .tensor(args.dy())
                .tensor(args.dtable())
                .i64(args.dtable().elements())
                .i64(args.indices().elements())
                .i64(args.dtable().size(1))
                .cover(args.dtable().elements(), 256, 1);
    }
}
