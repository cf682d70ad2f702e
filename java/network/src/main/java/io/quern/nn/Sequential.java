package io.quern.nn;

import io.quern.op.ActivationKind;
import io.quern.op.DropoutMask;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Layers one after another. An activation behind a layer that can compute it in its own kernel is fused into it, and so is
 * dropout behind that; the numbers are the same either way.
 *
 * @param layers at least one
 */
public record Sequential(List<Layer> layers) implements Layer {
    public Sequential {
        layers = List.copyOf(layers);
        if (layers.isEmpty()) {
            throw new ArgumentException("a model needs at least one layer");
        }
    }

    public static Sequential of(Layer... layers) {
        return new Sequential(List.of(layers));
    }

    /** A layer whose kernel can apply the activation that follows it. */
    public interface Fusing extends Layer {
        Forward build(Shape input, ParameterScope scope, ActivationKind activation);

        @Override
        default Forward build(Shape input, ParameterScope scope) {
            return build(input, scope, ActivationKind.NONE);
        }
    }

    /** One whose kernel can also apply the dropout that follows the activation, or follows the layer at once. */
    public interface FusingDropout extends Fusing {
        /** @param dropout gives each pass its mask, or null for none */
        Forward build(
                Shape input, ParameterScope scope, ActivationKind activation, Function<Pass, DropoutMask> dropout);

        @Override
        default Forward build(Shape input, ParameterScope scope, ActivationKind activation) {
            return build(input, scope, activation, pass -> null);
        }
    }

    @Override
    public String kind() {
        return "sequential";
    }

    @Override
    public String describe() {
        return layers.stream().map(Layer::describe).collect(Collectors.joining(" "));
    }

    @Override
    public Shape outputShape(Shape input) {
        Shape shape = input;
        for (int i = 0; i < layers.size(); i++) {
            shape = outputShape(i, shape);
        }
        return shape;
    }

    private Shape outputShape(int index, Shape input) {
        Layer layer = layers.get(index);
        try {
            return layer.outputShape(input);
        } catch (ArgumentException e) {
            throw new ArgumentException("layer " + (index + 1) + ", " + layer.describe()
                    + ", does not fit its input of " + input + " per sample: " + e.getMessage());
        }
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        List<Forward> steps = new ArrayList<>();
        Shape shape = input;
        for (int i = 0; i < layers.size(); i++) {
            Shape next = outputShape(i, shape);
            Layer layer = layers.get(i);
            ParameterScope child = scope.child(layer.kind());
            if (layer instanceof Fusing fusing) {
                ActivationKind activation = ActivationKind.NONE;
                if (i + 1 < layers.size() && layers.get(i + 1) instanceof ActivationLayer behind) {
                    activation = behind.function();
                    i++;
                }
                if (layer instanceof FusingDropout both
                        && i + 1 < layers.size()
                        && layers.get(i + 1) instanceof DropoutLayer dropout) {
                    steps.add(both.build(shape, child, activation, dropout.mask(scope)));
                    i++;
                } else {
                    steps.add(fusing.build(shape, child, activation));
                }
            } else {
                steps.add(layer.build(shape, child));
            }
            shape = next;
        }
        return (pass, x) -> {
            for (Forward step : steps) {
                x = step.apply(pass, x);
            }
            return x;
        };
    }
}
