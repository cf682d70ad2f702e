package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/** libtorch's product of a view expanded along a new middle axis, into the shared memory. */
public final class BroadcastLibtorch {
    private BroadcastLibtorch() {}

    public static Contender of(Tensor x, Tensor y, double scale) {
        org.bytedeco.pytorch.Tensor view = Libtorch.over(x).unsqueeze(1).expand(y.size(0), y.size(1), y.size(2));
        org.bytedeco.pytorch.Tensor out = Libtorch.over(y);
        // as a Scalar, it would go through a temporary of the whole size
        org.bytedeco.pytorch.Tensor factor = torch.full(new long[0], new Scalar((float) scale));
        return Libtorch.writing(() -> torch.mul_out(out, view, factor));
    }
}
