package io.quern.regularize;

import io.quern.tensor.ArgumentException;

/**
 * Adds l1 |w| + l2 w^2 / 2, summed over the weights, to the loss: its gradient l1 sign(w) + l2 w is added to that of the
 * data. Biases and norm parameters are spared. Tibshirani, "Regression shrinkage and selection via the lasso", 1996; Zou,
 * Hastie, "Regularization and variable selection via the elastic net", 2005. Decoupled weight decay is the optimizer's.
 */
public record WeightPenalty(double l1, double l2) {
    public static final WeightPenalty NONE = new WeightPenalty(0, 0);

    public WeightPenalty {
        if (!(l1 >= 0 && l2 >= 0)) {
            throw new ArgumentException("penalties are l1 " + l1 + " and l2 " + l2 + ", expected at least 0");
        }
    }
}
