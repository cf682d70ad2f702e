package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.bench.Fastest;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.global.torch;

/** at::dropout, or at::native_dropout with its mask: whichever is faster. */
public final class DropoutLibtorch {
    private DropoutLibtorch() {}

    public static Contender fastest(Tensor x, Tensor y, double p) {
        org.bytedeco.pytorch.Tensor input = Libtorch.over(x);
        BoolOptional training = new BoolOptional(true);
        return new Fastest("libtorch dropout")
                .or("dropout", () -> Libtorch.allocating(() -> torch.dropout(input, p, true), y))
                .or("native_dropout", () -> Libtorch.first(() -> torch.native_dropout(input, p, training), y))
                .choose();
    }
}
