package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import java.util.List;

/** libtorch's copy of a permuted view into contiguous memory. */
public final class TransposeLibtorch {
    private TransposeLibtorch() {}

    public static Contender copy(Tensor x, Tensor y, List<Integer> axes) {
        org.bytedeco.pytorch.Tensor view = Libtorch.over(x)
                .permute(axes.stream().mapToLong(Integer::longValue).toArray());
        org.bytedeco.pytorch.Tensor out = Libtorch.over(y);
        // returns out itself, which stays open
        return () -> out.copy_(view);
    }
}
