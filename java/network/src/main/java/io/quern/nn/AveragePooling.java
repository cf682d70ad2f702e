package io.quern.nn;

import io.quern.op.AvgPool;
import io.quern.tensor.Shape;

/** The mean of each square window of an image HWC; padding does not count. */
public record AveragePooling(int window, int stride, int padding) implements Layer {
    public AveragePooling {
        Pooling.geometry(window, stride, padding);
    }

    /** Windows side by side. */
    public AveragePooling(int window) {
        this(window, window, 0);
    }

    @Override
    public String kind() {
        return "avgpool";
    }

    @Override
    public String describe() {
        return Pooling.describe("avgpool", window, stride, padding);
    }

    @Override
    public Shape outputShape(Shape input) {
        return Pooling.outputShape(input, "avgpool", window, stride, padding);
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        var geometry = Pooling.geometry(window, stride, padding);
        return (pass, x) -> AvgPool.apply(pass.tape(), x, geometry);
    }
}
