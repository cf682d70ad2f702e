package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.global.torch;

/** libtorch's softmax, its gradient kernel, and the loss with its gradient kernels. */
public final class SoftmaxLibtorch {
    private SoftmaxLibtorch() {}

    public static Contender forward(Tensor x, Tensor y) {
        org.bytedeco.pytorch.Tensor input = Libtorch.over(x);
        org.bytedeco.pytorch.Tensor out = Libtorch.over(y);
        return Libtorch.writing(() -> torch.softmax_out(out, input, 1));
    }

    public static Contender backward(Tensor y, Tensor dy, Tensor dx) {
        LibtorchScript script = new LibtorchScript("""
                def f(dy, y):
                    return torch._softmax_backward_data(dy, y, 1, 6)
                """, Libtorch.over(dy), Libtorch.over(y));
        return Libtorch.allocating(script::call, dx);
    }

    /** What autograd runs for cross_entropy, without its bookkeeping. */
    public static Contender crossEntropy(Tensor x, Tensor labels, Tensor dx) {
        org.bytedeco.pytorch.Tensor target = Libtorch.classes(labels);
        LibtorchScript script = new LibtorchScript("""
                def f(x, t, one):
                    p = torch._log_softmax(x, 1, False)
                    loss, weight = torch.nll_loss_forward(p, t, None, 1, -100)
                    g = torch.nll_loss_backward(one, p, t, None, 1, -100, weight)
                    return torch._log_softmax_backward_data(g, p, 1, 6)
                """, Libtorch.over(x), target, torch.ones(new long[0]));
        return Libtorch.allocating(script::call, dx);
    }
}
