package io.quern.nn;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/**
 * The immutable description of a layer. Shapes are per sample, without the batch axis; images are HWC.
 *
 * <p>{@link #describe} is the layer's text in a model string: {@link ModelParser} reads it back as an equal layer.
 */
public interface Layer {
    /** The word for this layer in model strings, parameter names and messages, for example {@code conv}. */
    String kind();

    /** The layer as a model string, for example {@code conv(32,3,stride=2)}. */
    String describe();

    /**
     * What comes out for one sample.
     *
     * @throws ArgumentException when the input does not fit; the message says why
     */
    Shape outputShape(Shape input);

    /**
     * Declares the parameters for this input and returns the computation on them. Nothing is allocated here.
     *
     * @throws ArgumentException when the input does not fit
     */
    Forward build(Shape input, ParameterScope scope);
}
