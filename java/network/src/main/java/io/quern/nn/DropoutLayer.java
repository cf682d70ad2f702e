package io.quern.nn;

import io.quern.op.Dropout;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/**
 * Sets elements to zero with probability p in training and scales the rest by 1 / (1 - p); the identity in inference.
 * Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014.
 */
public record DropoutLayer(double p) implements Layer {
    public DropoutLayer {
        if (!(p >= 0 && p <= 65535.0 / 65536)) {
            throw new ArgumentException("dropout probability is " + p + ", expected 0 <= p < 1");
        }
    }

    @Override
    public String kind() {
        return "dropout";
    }

    @Override
    public String describe() {
        return Description.of("dropout", p).toString();
    }

    @Override
    public Shape outputShape(Shape input) {
        return input;
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        int stream = scope.dropoutStream();
        return (pass, x) -> pass.training() ? Dropout.apply(pass.tape(), x, p, pass.rng().stream(stream)) : x;
    }
}
