package io.quern.nn;

import io.quern.op.LayerNorm;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/**
 * Normalises the last axis of each sample by its own mean and variance. Ba, Kiros, Hinton, "Layer normalization", 2016.
 *
 * @param epsilon added to the variance, positive
 */
public record LayerNormLayer(double epsilon) implements Layer {
    private static final double EPSILON = 1e-5;

    public LayerNormLayer {
        if (!(epsilon > 0)) {
            throw new ArgumentException("layernorm has epsilon " + epsilon + ", expected a positive number");
        }
    }

    public LayerNormLayer() {
        this(EPSILON);
    }

    @Override
    public String kind() {
        return "layernorm";
    }

    @Override
    public String describe() {
        return Description.of("layernorm").option("epsilon", epsilon, EPSILON).toString();
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.rank() < 1) {
            throw new ArgumentException("layernorm takes at least one axis");
        }
        return input;
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        Shape features = Shape.of(input.size(-1));
        Parameter gamma = scope.norm("gamma", features, Initializer.ONES);
        Parameter beta = scope.norm("beta", features, Initializer.ZEROS);
        return (pass, x) -> LayerNorm.apply(pass.tape(), x, gamma.value(), beta.value(), epsilon);
    }
}
