package io.quern.train;

import io.quern.tensor.Tensor;

/**
 * Some samples with their targets.
 *
 * @param x (n, input shape)
 * @param target class indices, I32 (n), or values of the output's shape
 */
public record Batch(Tensor x, Tensor target) {
    public int size() {
        return x.dim(0);
    }
}
