package io.quern.nn;

import io.quern.op.MaxPool;
import io.quern.tensor.Shape;

/** The largest value of each square window of an image HWC. */
public record MaxPooling(int window, int stride, int padding) implements Layer {
    public MaxPooling {
        Pooling.geometry(window, stride, padding);
    }

    /** Windows side by side. */
    public MaxPooling(int window) {
        this(window, window, 0);
    }

    @Override
    public String kind() {
        return "maxpool";
    }

    @Override
    public String describe() {
        return Pooling.describe("maxpool", window, stride, padding);
    }

    @Override
    public Shape outputShape(Shape input) {
        return Pooling.outputShape(input, "maxpool", window, stride, padding);
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        var geometry = Pooling.geometry(window, stride, padding);
        return (pass, x) -> MaxPool.apply(pass.tape(), x, geometry);
    }
}
