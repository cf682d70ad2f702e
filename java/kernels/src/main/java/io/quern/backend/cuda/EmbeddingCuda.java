package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Embedding;

/** embedding.cu. */
final class EmbeddingCuda implements Kernel<Embedding.Args> {
    private final CudaKernel kernel;

    EmbeddingCuda(CudaKernels kernels) {
        kernel = kernels.get("embedding_f32");
    }

    @Override
    public boolean supports(Embedding.Args args) {
        return Contiguous.floats(args.table(), args.y()) && Contiguous.integers(args.indices());
    }

    @Override
    public void run(Embedding.Args args) {
        kernel.with()
                .tensor(args.table())
                .tensor(args.indices())
                .tensor(args.y())
                .i64(args.y().elements())
                .i64(args.table().size(0))
                .i64(args.table().size(1))
                .cover(args.y().elements(), 256, 1);
    }
}
