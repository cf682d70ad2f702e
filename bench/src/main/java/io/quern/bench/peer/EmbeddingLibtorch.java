package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.global.torch;

/** libtorch's lookup and the gradient of its table. */
public final class EmbeddingLibtorch {
    private EmbeddingLibtorch() {}

    public static Contender forward(Tensor table, Tensor indices, Tensor y) {
        org.bytedeco.pytorch.Tensor rows = Libtorch.over(table), numbers = Libtorch.classes(indices);
        org.bytedeco.pytorch.Tensor out = Libtorch.over(y);
        return Libtorch.writing(() -> torch.index_select_out(out, rows, 0, numbers));
    }

    public static Contender backward(Tensor indices, Tensor dy, Tensor dtable) {
        LibtorchScript script =
                new LibtorchScript("""
                def f(dy, indices):
                    return torch.embedding_dense_backward(dy, indices, %d, -1, False)
                """.formatted(dtable.size(0)), Libtorch.over(dy), Libtorch.classes(indices));
        return Libtorch.allocating(script::call, dtable);
    }
}
