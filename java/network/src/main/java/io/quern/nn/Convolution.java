package io.quern.nn;

import io.quern.op.ActivationKind;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/**
 * A bank of square filters over an image HWC: y = f(x * w + b) with w: (kernel, kernel, C / groups, filters).
 *
 * @param padding rows and columns of zeros on each side, or {@link #SAME}
 * @param groups a divisor of the image's channels and of filters
 * @param bias whether b exists; of no use in front of batchnorm
 * @param initializer null: He normal
 */
public record Convolution(
        int filters,
        int kernel,
        int stride,
        int padding,
        int dilation,
        int groups,
        boolean bias,
        Initializer initializer)
        implements Sequential.Fusing {
    /** As much padding as keeps the extents at stride 1: dilation (kernel - 1) / 2, for odd kernels. */
    public static final int SAME = -1;

    public Convolution {
        if (filters < 1 || kernel < 1 || stride < 1 || padding < SAME || dilation < 1 || groups < 1) {
            throw new ArgumentException("conv has filters " + filters + ", kernel " + kernel + ", stride " + stride
                    + ", padding " + padding + ", dilation " + dilation + ", groups " + groups
                    + "; expected at least 1, padding at least 0 or same");
        }
        if (padding == SAME && kernel % 2 == 0) {
            throw new ArgumentException("padding=same needs an odd kernel, not " + kernel + "; give a number");
        }
        if (filters % groups != 0) {
            throw new ArgumentException(groups + " groups do not divide the " + filters + " filters");
        }
    }

    /** Stride 1, no padding, no dilation, one group, with bias. */
    public Convolution(int filters, int kernel) {
        this(filters, kernel, 1, 0, 1, 1, true, null);
    }

    @Override
    public String kind() {
        return "conv";
    }

    @Override
    public String describe() {
        return Description.of("conv", filters, kernel)
                .option("stride", stride, 1)
                .option("padding", padding == SAME ? "same" : Integer.toString(padding), "0")
                .option("dilation", dilation, 1)
                .option("groups", groups, 1)
                .option("bias", bias, true)
                .option("init", initializer)
                .toString();
    }

    private Conv2dGeometry geometry() {
        int zeros = padding == SAME ? dilation * (kernel - 1) / 2 : padding;
        return new Conv2dGeometry(stride, stride, zeros, zeros, dilation, dilation, groups);
    }

    @Override
    public Shape outputShape(Shape input) {
        Images.require(input, kind());
        if (input.size(2) % groups != 0) {
            throw new ArgumentException(groups + " groups do not divide the " + input.size(2) + " channels");
        }
        long h = geometry().resultH(input.size(0), kernel);
        long w = geometry().resultW(input.size(1), kernel);
        if (h < 1 || w < 1) {
            throw new ArgumentException("the filter is larger than the image; add padding or pool less in front");
        }
        return Shape.of(h, w, filters);
    }

    @Override
    public Forward build(Shape input, ParameterScope scope, ActivationKind activation) {
        long channels = input.size(2) / groups;
        long taps = (long) kernel * kernel;
        Parameter w = scope.weight(
                Shape.of(kernel, kernel, channels, filters),
                initializer != null ? initializer : Initializer.HE_NORMAL,
                taps * channels,
                taps * filters / groups);
        Parameter b = bias ? scope.bias(Shape.of(filters)) : null;
        Conv2dGeometry geometry = geometry();
        return (pass, x) -> Conv2d.apply(pass.tape(), x, w.value(), b == null ? null : b.value(), geometry, activation);
    }
}
