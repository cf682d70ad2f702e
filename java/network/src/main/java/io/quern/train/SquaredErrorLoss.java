package io.quern.train;

import io.quern.op.MeanSquaredError;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * The mean of (output - target)^2 over samples and outputs. Class labels stand for targets of 1 at the class and 0
 * elsewhere; targets of the output's shape and dtype are taken as they are.
 */
public record SquaredErrorLoss() implements Loss {
    @Override
    public Tensor apply(Tape tape, Tensor output, Tensor target) {
        return prepare(tape, output.dtype(), output.shape(), target).apply(output);
    }

    @Override
    public UnaryOperator<Tensor> prepare(Tape tape, DType dtype, Shape output, Tensor target) {
        Tensor targets = target.dtype() == DType.I32 ? oneHot(tape, dtype, output, target) : target;
        return y -> MeanSquaredError.apply(tape, y, targets);
    }

    private static Tensor oneHot(Tape tape, DType dtype, Shape output, Tensor labels) {
        try (Tensor target = Tensor.allocate(dtype, output)) {
            long classes = output.size(-1);
            int[] values = labels.toInts();
            for (int i = 0; i < values.length; i++) {
                if (values[i] < 0 || values[i] >= classes) {
                    throw new ArgumentException("label " + values[i] + " of sample " + i + " is outside the " + classes
                            + " outputs; correct it, or end the model with dense(classes)");
                }
                target.set(i * classes + values[i], 1);
            }
            return tape.allocate(dtype, output).copyFrom(target);
        }
    }
}
