package io.quern.nn;

import io.quern.op.Dropout;
import io.quern.op.DropoutMask;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.function.Function;

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
        Function<Pass, DropoutMask> masks = mask(scope);
        return (pass, x) -> {
            DropoutMask mask = masks.apply(pass);
            return mask == null ? x : Dropout.apply(pass.tape(), x, mask.p(), mask.rng());
        };
    }

    /** What each pass drops, for the layer in front to apply; null in inference. */
    Function<Pass, DropoutMask> mask(ParameterScope scope) {
        int stream = scope.dropoutStream();
        return pass -> pass.training() ? new DropoutMask(p, pass.rng().stream(stream)) : null;
    }
}
