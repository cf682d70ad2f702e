package io.quern.train;

import io.quern.op.Tape;
import io.quern.tensor.Tensor;

/** What training makes small. */
public interface Loss {
    /**
     * The mean over the batch, a scalar recorded on the tape.
     *
     * @param output the network's, (n, classes)
     * @param labels I32 (n)
     */
    Tensor apply(Tape tape, Tensor output, Tensor labels);

    /** False for labels that stand for "unknown" and enter neither loss nor metrics. */
    default boolean counts(int label) {
        return true;
    }
}
