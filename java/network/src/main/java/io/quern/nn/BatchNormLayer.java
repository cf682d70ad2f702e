package io.quern.nn;

import io.quern.op.BatchNorm;
import io.quern.op.BatchNormInference;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/**
 * Normalises each channel (the last axis): by the batch in training, which needs at least two values per channel, and by
 * running statistics in inference. Ioffe, Szegedy, "Batch normalization", ICML 2015.
 *
 * @param momentum weight of this batch in the running statistics, 0..1
 * @param epsilon added to the variance, positive
 */
public record BatchNormLayer(double momentum, double epsilon) implements Layer {
    public BatchNormLayer {
        if (!(momentum >= 0 && momentum <= 1 && epsilon > 0)) {
            throw new ArgumentException("batchnorm has momentum " + momentum + " and epsilon " + epsilon
                    + ", expected 0..1 and a positive number");
        }
    }

    public BatchNormLayer() {
        this(BatchNorm.MOMENTUM, BatchNorm.EPSILON);
    }

    @Override
    public String kind() {
        return "batchnorm";
    }

    @Override
    public String describe() {
        return Description.of("batchnorm")
                .option("momentum", momentum, BatchNorm.MOMENTUM)
                .option("epsilon", epsilon, BatchNorm.EPSILON)
                .toString();
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.rank() < 1) {
            throw new ArgumentException("batchnorm takes at least one axis, the channels");
        }
        return input;
    }

    @Override
    public Forward build(Shape input, ParameterScope scope) {
        Shape channels = Shape.of(input.size(-1));
        Parameter gamma = scope.norm("gamma", channels, Initializer.ONES);
        Parameter beta = scope.norm("beta", channels, Initializer.ZEROS);
        Parameter mean = scope.state("mean", channels, Initializer.ZEROS);
        Parameter variance = scope.state("variance", channels, Initializer.ONES);
        return (pass, x) -> pass.training()
                ? BatchNorm.apply(
                        pass.tape(), x, gamma.value(), beta.value(), mean.value(), variance.value(), epsilon, momentum)
                : BatchNormInference.apply(
                        pass.tape(), x, gamma.value(), beta.value(), mean.value(), variance.value(), epsilon);
    }
}
