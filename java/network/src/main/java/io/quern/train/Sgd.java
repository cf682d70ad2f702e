package io.quern.train;

import io.quern.op.Executor;
import io.quern.op.SgdStep;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * Stochastic gradient descent with momentum. Polyak, 1964; Sutskever et al., "On the importance of initialization and
 * momentum in deep learning", ICML 2013.
 *
 * @param momentum at least 0, below 1; 0 needs no memory
 * @param nesterov looks ahead; needs momentum
 * @param weightDecay decoupled, at least 0
 */
public record Sgd(double momentum, boolean nesterov, double weightDecay) implements Optimizer {
    public Sgd {
        if (!(momentum >= 0 && momentum < 1 && weightDecay >= 0) || nesterov && momentum == 0) {
            throw new ArgumentException("SGD has momentum " + momentum + ", nesterov " + nesterov + " and weight decay "
                    + weightDecay + "; expected 0 <= momentum < 1, momentum with nesterov, decay at least 0");
        }
    }

    /** Without nesterov and decay. */
    public Sgd(double momentum) {
        this(momentum, false, 0);
    }

    @Override
    public List<String> slots() {
        return momentum == 0 ? List.of() : List.of("velocity");
    }

    @Override
    public void update(
            Executor executor,
            Tensor parameters,
            Tensor gradients,
            List<Tensor> memory,
            double rate,
            double decay,
            long step) {
        executor.run(
                SgdStep.OP,
                new SgdStep.Args(
                        parameters,
                        gradients,
                        momentum == 0 ? null : memory.getFirst(),
                        rate,
                        momentum,
                        decay,
                        nesterov));
    }
}
