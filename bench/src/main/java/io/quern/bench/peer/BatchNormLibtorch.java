package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** libtorch's native_batch_norm and its backward, channels-last. */
public final class BatchNormLibtorch {
    private BatchNormLibtorch() {}

    public static Contender forward(Tensor x, Tensor gamma, Tensor beta, Tensor y, double epsilon, double momentum) {
        org.bytedeco.pytorch.Tensor input = Libtorch.image(x);
        TensorOptional weight = new TensorOptional(Libtorch.over(gamma));
        TensorOptional bias = new TensorOptional(Libtorch.over(beta));
        TensorOptional runningMean = new TensorOptional(torch.zeros(gamma.size(0)));
        TensorOptional runningVariance = new TensorOptional(torch.ones(gamma.size(0)));
        return Libtorch.holding(
                () -> torch.native_batch_norm(
                        input, weight, bias, runningMean, runningVariance, true, momentum, epsilon),
                gradients -> gradients.get0(),
                Libtorch.image(y));
    }

    /** All three gradients. */
    public static Contender backward(
            Tensor x, Tensor dy, Tensor gamma, Tensor mean, Tensor inverseDeviation, Tensor dx, double epsilon) {
        org.bytedeco.pytorch.Tensor input = Libtorch.image(x);
        org.bytedeco.pytorch.Tensor gradient = Libtorch.image(dy);
        TensorOptional weight = new TensorOptional(Libtorch.over(gamma));
        TensorOptional runningMean = new TensorOptional(torch.zeros(gamma.size(0)));
        TensorOptional runningVariance = new TensorOptional(torch.ones(gamma.size(0)));
        TensorOptional savedMean = new TensorOptional(Libtorch.over(mean));
        TensorOptional savedDeviation = new TensorOptional(Libtorch.over(inverseDeviation));
        BoolPointer all = Libtorch.all();
        return Libtorch.holding(
                () -> torch.native_batch_norm_backward(
                        gradient,
                        input,
                        weight,
                        runningMean,
                        runningVariance,
                        savedMean,
                        savedDeviation,
                        true,
                        epsilon,
                        all),
                gradients -> gradients.get0(),
                Libtorch.image(dx));
    }
}
