package io.quern.nn;

import io.quern.op.ActivationKind;
import io.quern.tensor.Shape;

/**
 * One square filter per channel of an image HWC: a {@link Convolution} with as many groups as channels. Chollet,
 * "Xception: deep learning with depthwise separable convolutions", CVPR 2017.
 *
 * @param padding rows and columns of zeros on each side, or {@link Convolution#SAME}
 */
public record DepthwiseConvolution(
        int kernel, int stride, int padding, int dilation, boolean bias, Initializer initializer)
        implements Sequential.Fusing {
    public DepthwiseConvolution {
        new Convolution(1, kernel, stride, padding, dilation, 1, bias, initializer);
    }

    private Convolution over(Shape input) {
        Images.require(input, kind());
        int channels = Math.max(1, input.dim(2));
        return new Convolution(channels, kernel, stride, padding, dilation, channels, bias, initializer);
    }

    @Override
    public String kind() {
        return "depthwise";
    }

    @Override
    public String describe() {
        return Description.of("depthwise", kernel)
                .option("stride", stride, 1)
                .option("padding", padding == Convolution.SAME ? "same" : Integer.toString(padding), "0")
                .option("dilation", dilation, 1)
                .option("bias", bias, true)
                .option("init", initializer)
                .toString();
    }

    @Override
    public Shape outputShape(Shape input) {
        return over(input).outputShape(input);
    }

    @Override
    public Forward build(Shape input, ParameterScope scope, ActivationKind activation) {
        return over(input).build(input, scope, activation);
    }
}
