package io.quern.train;

import io.quern.op.Tape;
import io.quern.tensor.Tensor;

/** What training makes small. */
public interface Loss {
    /**
     * The mean over the batch, a scalar recorded on the tape.
     *
     * @param output the network's, (n, output shape)
     * @param target as in {@link Batch}
     */
    Tensor apply(Tape tape, Tensor output, Tensor target);

    /** True when targets are class indices, so that accuracy means something. */
    boolean classifies();
}
