package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/** libtorch's elementwise functions, into the shared memory. */
public final class ElementwiseLibtorch {
    private ElementwiseLibtorch() {}

    /** @param b second input: the other summand, the bias, or the gradient of a backward op; else null */
    public static Contender of(String op, Tensor a, Tensor b, Tensor y) {
        org.bytedeco.pytorch.Tensor x = Libtorch.over(a);
        org.bytedeco.pytorch.Tensor z = b == null ? null : Libtorch.over(b);
        org.bytedeco.pytorch.Tensor out = Libtorch.over(y);
        // as a Scalar, it would go through a temporary of the whole size
        org.bytedeco.pytorch.Tensor factor = torch.full(new long[0], new Scalar(0.75f));
        Scalar zero = new Scalar(0f);
        return Libtorch.writing(
                switch (op) {
                    case "add", "bias" -> () -> torch.add_out(out, x, z);
                    case "multiply" -> () -> torch.mul_out(out, x, z);
                    case "scale" -> () -> torch.mul_out(out, x, factor);
                    case "relu" -> () -> torch.clamp_min_out(out, x, zero);
                    case "gelu" -> () -> torch.gelu_out(out, x, "tanh");
                    case "sigmoid" -> () -> torch.sigmoid_out(out, x);
                    case "tanh" -> () -> torch.tanh_out(out, x);
                    case "relu-backward" -> () -> torch.threshold_backward_out(out, z, x, zero);
                    case "gelu-backward" -> () -> torch.gelu_backward_out(out, z, x, "tanh");
                    case "sigmoid-backward" -> () -> torch.sigmoid_backward_out(out, z, x);
                    case "tanh-backward" -> () -> torch.tanh_backward_out(out, z, x);
                    default -> throw new IllegalArgumentException("op is " + op);
                });
    }
}
