package io.quern.train;

import io.quern.op.AdamWStep;
import io.quern.op.Executor;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * Adam with decoupled weight decay. Kingma, Ba, "Adam", ICLR 2015; Loshchilov, Hutter, "Decoupled weight decay
 * regularization", ICLR 2019.
 *
 * @param beta1 decay of the first moment, at least 0, below 1
 * @param beta2 decay of the second moment, at least 0, below 1
 * @param epsilon added to the root of the second moment, positive
 * @param weightDecay decoupled, at least 0
 */
public record AdamW(double beta1, double beta2, double epsilon, double weightDecay) implements Optimizer {
    public AdamW {
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0 && weightDecay >= 0)) {
            throw new ArgumentException("AdamW has betas " + beta1 + " and " + beta2 + ", epsilon " + epsilon
                    + " and weight decay " + weightDecay
                    + "; expected betas in 0..1 without 1, a positive epsilon, decay at least 0");
        }
    }

    /** Betas 0.9 and 0.999, epsilon 1e-8, weight decay 0.01. */
    public AdamW() {
        this(0.9, 0.999, 1e-8, 0.01);
    }

    public AdamW withWeightDecay(double decay) {
        return new AdamW(beta1, beta2, epsilon, decay);
    }

    @Override
    public List<String> slots() {
        return List.of("moment1", "moment2");
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
                AdamWStep.OP,
                new AdamWStep.Args(
                        parameters,
                        gradients,
                        memory.get(0),
                        memory.get(1),
                        rate,
                        beta1,
                        beta2,
                        epsilon,
                        decay,
                        Math.toIntExact(step)));
    }
}
