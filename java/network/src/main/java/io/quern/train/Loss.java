package io.quern.train;

import io.quern.op.Tape;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.function.UnaryOperator;

/** What training makes small. */
public interface Loss {
    /**
     * The mean over the batch, a scalar recorded on the tape.
     *
     * @param output the network's, (n, classes)
     * @param labels I32 (n)
     */
    Tensor apply(Tape tape, Tensor output, Tensor labels);

    /**
     * Readies what depends on the labels' values, where the tape computes; what comes back turns the output into the loss
     * by ops alone. Unless a loss keeps the two apart like this, no step that has it can be captured as a graph.
     *
     * @param dtype of the network's output
     * @param output its shape, (n, classes)
     * @param labels I32 (n)
     */
    default UnaryOperator<Tensor> prepare(Tape tape, DType dtype, Shape output, Tensor labels) {
        return y -> apply(tape, y, labels);
    }

    /** False for labels that stand for "unknown" and enter neither loss nor metrics. */
    default boolean counts(int label) {
        return true;
    }
}
