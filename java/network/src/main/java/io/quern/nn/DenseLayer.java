package io.quern.nn;

import io.quern.op.ActivationKind;
import io.quern.op.DropoutMask;
import io.quern.op.Matmul;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.function.Function;

/**
 * y = f(x w + b) with w: (inputs, units), b: (units). Input: a vector.
 *
 * @param bias whether b exists
 * @param initializer null: He normal in front of a rectifier, else Glorot uniform
 */
public record DenseLayer(int units, boolean bias, Initializer initializer) implements Sequential.FusingDropout {
    public DenseLayer {
        if (units < 1) {
            throw new ArgumentException("dense needs at least 1 unit, not " + units);
        }
    }

    public DenseLayer(int units) {
        this(units, true, null);
    }

    @Override
    public String kind() {
        return "dense";
    }

    @Override
    public String describe() {
        return Description.of("dense", units)
                .option("bias", bias, true)
                .option("init", initializer)
                .toString();
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.rank() != 1) {
            throw new ArgumentException("dense takes a vector; put flatten or globalavgpool in front");
        }
        return Shape.of(units);
    }

    @Override
    public Forward build(
            Shape input, ParameterScope scope, ActivationKind activation, Function<Pass, DropoutMask> dropout) {
        long inputs = input.size(0);
        Initializer initial = initializer != null ? initializer : Initializer.before(activation);
        Parameter w = scope.weight(Shape.of(inputs, units), initial, inputs, units);
        Parameter b = bias ? scope.bias(Shape.of(units)) : null;
        return (pass, x) -> Matmul.apply(
                pass.tape(),
                x,
                w.value(),
                b == null ? null : b.value(),
                activation,
                dropout.apply(pass),
                pass.packing(w.value()));
    }
}
