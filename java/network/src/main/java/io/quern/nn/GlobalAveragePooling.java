package io.quern.nn;

import io.quern.op.Reduce;
import io.quern.op.ReduceKind;
import io.quern.tensor.Shape;

/** The mean of each channel of an image HWC: a vector. Lin, Chen, Yan, "Network in network", 2014. */
public record GlobalAveragePooling() implements Layer {
    @Override
    public String kind() {
        return "globalavgpool";
    }

    @Override
    public String describe() {
        return "globalavgpool";
    }

    @Override
    public Shape outputShape(Shape input) {
        Images.require(input, kind());
        return Shape.of(input.size(2));
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        return (pass, x) -> Reduce.apply(pass.tape(), x, ReduceKind.MEAN, 1, 2);
    }
}
