package io.quern.train;

import io.quern.op.MeanSquaredError;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/**
 * The mean of (output - target)^2 over samples and outputs. Class labels stand for targets of 1 at the class and 0
 * elsewhere; targets of the output's shape and dtype are taken as they are.
 */
public record SquaredErrorLoss() implements Loss {
    @Override
    public Tensor apply(Tape tape, Tensor output, Tensor target) {
        return MeanSquaredError.apply(
                tape, output, target.dtype() == DType.I32 ? oneHot(tape, output, target) : target);
    }

    private static Tensor oneHot(Tape tape, Tensor output, Tensor labels) {
        try (Tensor target = Tensor.allocate(output.dtype(), output.shape())) {
            long classes = output.size(-1);
            int[] values = labels.toInts();
            for (int i = 0; i < values.length; i++) {
                if (values[i] < 0 || values[i] >= classes) {
                    throw new ArgumentException("label " + values[i] + " of sample " + i + " is outside the " + classes
                            + " outputs; correct it, or end the model with dense(classes)");
                }
                target.set(i * classes + values[i], 1);
            }
            return tape.allocate(output.dtype(), output.shape()).copyFrom(target);
        }
    }
}
