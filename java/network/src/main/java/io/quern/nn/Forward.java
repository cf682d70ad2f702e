package io.quern.nn;

import io.quern.tensor.Tensor;

/** The computation of a built layer. */
@FunctionalInterface
public interface Forward {
    /**
     * @param x the batch axis, then the layer's input shape
     * @return the batch axis, then the layer's output shape; a tensor of the tape's step
     */
    Tensor apply(Pass pass, Tensor x);
}
