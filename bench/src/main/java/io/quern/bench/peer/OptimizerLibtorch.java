package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's fused CPU optimizers, its fastest, reached through TorchScript. The result must come out of the list that is
 * updated, or the script compiler drops the update as dead code.
 */
public final class OptimizerLibtorch {
    private OptimizerLibtorch() {}

    public static Contender adamW(
            Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2, double rate, double decay) {
        LibtorchScript script = new LibtorchScript(
                """
                def f(p, g, m, v, step):
                    ps, ms, vs = [p], [m], [v]
                    torch._fused_adamw_(ps, [g], ms, vs, [], [step], lr=%s, beta1=0.9, beta2=0.999,
                                        weight_decay=%s, eps=1e-8, amsgrad=False, maximize=False)
                    return ps[0]
                """.formatted(rate, decay),
                Libtorch.over(parameter),
                Libtorch.over(gradient),
                Libtorch.over(moment1),
                Libtorch.over(moment2),
                torch.ones(new long[0]));
        return Libtorch.writing(script::call);
    }

    public static Contender sgd(Tensor parameter, Tensor gradient, Tensor velocity, double rate) {
        LibtorchScript script = new LibtorchScript(
                """
                def f(p, g, v):
                    ps, vs = [p], [v]
                    torch._fused_sgd_(ps, [g], vs, weight_decay=0.0, momentum=0.9, lr=%s, dampening=0.0,
                                      nesterov=False, maximize=False, is_first_step=False)
                    return ps[0]
                """.formatted(rate), Libtorch.over(parameter), Libtorch.over(gradient), Libtorch.over(velocity));
        return Libtorch.writing(script::call);
    }
}
