package io.quern.nn;

import io.quern.op.Add;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.Optional;

/**
 * y = body(x) + shortcut(x). He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
 *
 * @param shortcut empty: x itself
 */
public record Residual(Sequential body, Optional<Sequential> shortcut) implements Layer {
    public Residual(Sequential body) {
        this(body, Optional.empty());
    }

    public Residual(Sequential body, Sequential shortcut) {
        this(body, Optional.of(shortcut));
    }

    @Override
    public String kind() {
        return "residual";
    }

    @Override
    public String describe() {
        return "residual(" + body.describe()
                + shortcut.map(s -> " | " + s.describe()).orElse("") + ")";
    }

    @Override
    public Shape outputShape(Shape input) {
        Shape result = body.outputShape(input);
        Shape carried = shortcut.map(s -> s.outputShape(input)).orElse(input);
        if (!result.equals(carried)) {
            throw new ArgumentException("the body gives " + result + " but the shortcut " + carried
                    + "; add a projection that gives the same, as in residual(... | conv(filters,1,stride=...))");
        }
        return result;
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        Forward main = body.build(input, scope);
        Forward side =
                shortcut.map(s -> s.build(input, scope.child("shortcut"))).orElse((pass, x) -> x);
        return (pass, x) -> Add.apply(pass.tape(), main.apply(pass, x), side.apply(pass, x));
    }
}
