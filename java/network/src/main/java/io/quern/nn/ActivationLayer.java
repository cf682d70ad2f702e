package io.quern.nn;

import io.quern.op.Activation;
import io.quern.op.ActivationKind;
import io.quern.tensor.Shape;

/** An activation function, element by element: {@code relu}, {@code gelu}, ... */
public record ActivationLayer(ActivationKind function) implements Layer {
    @Override
    public String kind() {
        return function.label();
    }

    @Override
    public String describe() {
        return function.label();
    }

    @Override
    public Shape outputShape(Shape input) {
        return input;
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        return (pass, x) -> Activation.apply(pass.tape(), x, function);
    }
}
