package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** libtorch's native_layer_norm and its backward. */
public final class LayerNormLibtorch {
    private LayerNormLibtorch() {}

    public static Contender forward(Tensor x, Tensor gamma, Tensor beta, Tensor y, double epsilon) {
        LibtorchScript script = new LibtorchScript(
                """
                def f(x, gamma, beta):
                    y, mean, deviation = torch.native_layer_norm(x, [%d], gamma, beta, %s)
                    return y
                """.formatted(gamma.size(0), epsilon), Libtorch.over(x), Libtorch.over(gamma), Libtorch.over(beta));
        return Libtorch.allocating(script::call, y);
    }

    /** All three gradients. */
    public static Contender backward(
            Tensor x, Tensor dy, Tensor gamma, Tensor beta, Tensor mean, Tensor inverseDeviation, Tensor dx) {
        org.bytedeco.pytorch.Tensor input = Libtorch.over(x);
        org.bytedeco.pytorch.Tensor gradient = Libtorch.over(dy);
        org.bytedeco.pytorch.Tensor means = Libtorch.over(mean).reshape(mean.size(0), 1);
        org.bytedeco.pytorch.Tensor deviations = Libtorch.over(inverseDeviation).reshape(mean.size(0), 1);
        TensorOptional weight = new TensorOptional(Libtorch.over(gamma));
        TensorOptional bias = new TensorOptional(Libtorch.over(beta));
        LongArrayRef width = Libtorch.longs(gamma.size(0));
        BoolPointer all = Libtorch.all();
        return Libtorch.holding(
                () -> torch.native_layer_norm_backward(gradient, input, width, means, deviations, weight, bias, all),
                gradients -> gradients.get0(),
                Libtorch.over(dx));
    }
}
