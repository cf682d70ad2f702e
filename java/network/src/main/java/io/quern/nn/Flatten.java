package io.quern.nn;

import io.quern.tensor.Shape;

/** Any sample becomes a vector, in row-major order; nothing is copied. */
public record Flatten() implements Layer {
    @Override
    public String kind() {
        return "flatten";
    }

    @Override
    public String describe() {
        return "flatten";
    }

    @Override
    public Shape outputShape(Shape input) {
        return Shape.of(input.elements());
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        return (pass, x) -> pass.tape().reshape(x, Shape.of(x.size(0), input.elements()));
    }
}
