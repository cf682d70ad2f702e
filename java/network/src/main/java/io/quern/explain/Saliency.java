package io.quern.explain;

import io.quern.nn.Network;
import io.quern.op.Executor;
import io.quern.tensor.Tensor;

/**
 * The gradient of an output with respect to the input: what a small change would do. Simonyan, Vedaldi, Zisserman, "Deep
 * inside convolutional networks", 2014. The values divide up nothing, so their completeness residual is NaN.
 */
public final class Saliency {
    private final InputGradient gradient;

    public Saliency(Network network, Executor executor) {
        gradient = new InputGradient(network, executor);
    }

    /**
     * @param input one sample as the network sees it, that is after normalization
     * @param target which output, from 0
     */
    public Attribution explain(float[] input, int target) {
        gradient.checkInput(input, "input");
        InputGradient.Result result = gradient.of(new float[][] {input}, target, true);
        double[] values = new double[input.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = result.gradients()[0][i];
        }
        return new Attribution(values, gradient.inputShape(), target, result.outputs()[0], Double.NaN);
    }

    /** The same for a tensor of one sample, with or without batch axis. */
    public Attribution explain(Tensor input, int target) {
        return explain(input.toFloats(), target);
    }
}
