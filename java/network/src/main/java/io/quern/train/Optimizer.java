package io.quern.train;

import io.quern.op.Executor;
import io.quern.tensor.Tensor;
import java.util.List;

/** A rule that moves parameters along their gradients: hyper-parameters only; its memory is given. */
public interface Optimizer {
    /** Names of the tensors of the parameters' shape that it remembers, zero at first; part of every checkpoint. */
    List<String> slots();

    /** Decoupled weight decay per unit of learning rate; applied to weights, not to biases and norm parameters. */
    double weightDecay();

    /**
     * One update in place.
     *
     * @param memory one tensor per slot
     * @param rate learning rate of this step
     * @param decay weight decay for these parameters
     * @param step 1 for the first update
     */
    void update(
            Executor executor,
            Tensor parameters,
            Tensor gradients,
            List<Tensor> memory,
            double rate,
            double decay,
            long step);
}
