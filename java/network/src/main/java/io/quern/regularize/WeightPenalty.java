package io.quern.regularize;

import io.quern.op.ActivationBackward;
import io.quern.op.ActivationKind;
import io.quern.op.Add;
import io.quern.op.Executor;
import io.quern.op.Fill;
import io.quern.op.Scale;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Tensor;

/**
 * Adds l1 |w| + l2 w^2 / 2, summed over the weights, to what is minimised: l1 sign(w) + l2 w joins the gradient of the
 * data, with sign(0) = 0. Biases and norm parameters are spared. Tibshirani, "Regression shrinkage and selection via the
 * lasso", 1996; Zou, Hastie, "Regularization and variable selection via the elastic net", 2005. Decoupled weight decay is
 * the optimizer's.
 */
public record WeightPenalty(double l1, double l2) {
    public static final WeightPenalty NONE = new WeightPenalty(0, 0);

    public WeightPenalty {
        if (!(l1 >= 0 && l2 >= 0)) {
            throw new ArgumentException("penalties are l1 " + l1 + " and l2 " + l2 + ", expected at least 0");
        }
    }

    /** Adds the penalty's gradient in place; scratch memory comes from the tape's step. */
    public void addGradient(Tape tape, Tensor weights, Tensor gradients) {
        if (weights.elements() == 0) {
            return;
        }
        Executor executor = tape.executor();
        if (l2 > 0) {
            Tensor scaled = scaled(tape, weights, l2);
            executor.run(Add.OP, new Add.Args(gradients, scaled, gradients));
        }
        if (l1 > 0) {
            Tensor above = ifPositive(tape, weights);
            executor.run(Add.OP, new Add.Args(gradients, above, gradients));
            Tensor below = ifPositive(tape, scaled(tape, weights, -1));
            executor.run(Scale.OP, new Scale.Args(below, below, -1));
            executor.run(Add.OP, new Add.Args(gradients, below, gradients));
        }
    }

    private static Tensor scaled(Tape tape, Tensor x, double factor) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.executor().run(Scale.OP, new Scale.Args(x, y, factor));
        return y;
    }

    /** l1 where x > 0, else 0: what a rectifier would pass back. */
    private Tensor ifPositive(Tape tape, Tensor x) {
        Tensor constant = tape.allocate(x.dtype(), x.shape());
        Tensor passed = tape.allocate(x.dtype(), x.shape());
        tape.executor().run(Fill.OP, new Fill.Args(constant, l1));
        tape.executor()
                .run(ActivationBackward.OP, new ActivationBackward.Args(x, constant, passed, ActivationKind.RELU));
        return passed;
    }
}
