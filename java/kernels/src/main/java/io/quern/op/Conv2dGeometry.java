package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/**
 * How a filter slides over an image: everything of a convolution that is not an extent of a tensor.
 *
 * <p>Image (N, H, W, C), filter (R, S, C / groups, K), result (N, P, Q, K) with P = (H + 2 padding - dilation (R - 1) -
 * 1) / stride + 1, rounded down, and Q likewise. Result pixel (p, q) and tap (r, s) meet image pixel (p stride - padding
 * + r dilation, ...); outside the image there are zeros. Result channels are cut into {@code groups} equal runs, each
 * of which sees only the run of image channels of the same number; groups = C is a depthwise convolution.
 *
 * @param strideH pixels between neighbouring results, 1 or more
 * @param paddingH rows of zeros above and below the image, 0 or more
 * @param dilationH pixels between neighbouring taps, 1 or more
 * @param groups a divisor of C and of K
 * @param direct true to have every result summed from its own products, with an error relative to these; else kernels
 *     may use {@link Winograd}'s fewer multiplications where it applies
 */
public record Conv2dGeometry(
        int strideH,
        int strideW,
        int paddingH,
        int paddingW,
        int dilationH,
        int dilationW,
        int groups,
        boolean direct) {
    /** Stride 1, no padding, no dilation, one group. */
    public static final Conv2dGeometry UNIT = new Conv2dGeometry(1, 1, 0, 0, 1, 1, 1);

    public Conv2dGeometry {
        positive(strideH, "strideH");
        positive(strideW, "strideW");
        positive(dilationH, "dilationH");
        positive(dilationW, "dilationW");
        positive(groups, "groups");
        if (!(paddingH >= 0)) {
            throw Check.failed("Conv2dGeometry", "paddingH is " + paddingH + ", expected 0 or more");
        }
        if (!(paddingW >= 0)) {
            throw Check.failed("Conv2dGeometry", "paddingW is " + paddingW + ", expected 0 or more");
        }
    }

    /** Any way of summing. */
    public Conv2dGeometry(
            int strideH, int strideW, int paddingH, int paddingW, int dilationH, int dilationW, int groups) {
        this(strideH, strideW, paddingH, paddingW, dilationH, dilationW, groups, false);
    }

    private static void positive(int value, String name) {
        if (!(value >= 1)) {
            throw Check.failed("Conv2dGeometry", name + " is " + value + ", expected 1 or more");
        }
    }

    public Conv2dGeometry withStride(int stride) {
        return withStride(stride, stride);
    }

    public Conv2dGeometry withStride(int h, int w) {
        return new Conv2dGeometry(h, w, paddingH, paddingW, dilationH, dilationW, groups, direct);
    }

    public Conv2dGeometry withPadding(int padding) {
        return withPadding(padding, padding);
    }

    public Conv2dGeometry withPadding(int h, int w) {
        return new Conv2dGeometry(strideH, strideW, h, w, dilationH, dilationW, groups, direct);
    }

    public Conv2dGeometry withDilation(int dilation) {
        return withDilation(dilation, dilation);
    }

    public Conv2dGeometry withDilation(int h, int w) {
        return new Conv2dGeometry(strideH, strideW, paddingH, paddingW, h, w, groups, direct);
    }

    public Conv2dGeometry withGroups(int count) {
        return new Conv2dGeometry(strideH, strideW, paddingH, paddingW, dilationH, dilationW, count, direct);
    }

    /** The same, every result summed from its own products. */
    public Conv2dGeometry withDirect() {
        return new Conv2dGeometry(strideH, strideW, paddingH, paddingW, dilationH, dilationW, groups, true);
    }

    /** Result rows P of an image of h rows under a filter of r rows; below 1 if the filter does not fit. */
    public long resultH(long h, long r) {
        return result(h, r, strideH, paddingH, dilationH);
    }

    /** Result columns Q of an image of w columns under a filter of s columns; below 1 if the filter does not fit. */
    public long resultW(long w, long s) {
        return result(w, s, strideW, paddingW, dilationW);
    }

    private static long result(long extent, long taps, int stride, int padding, int dilation) {
        long room = extent + 2L * padding - dilation * (taps - 1) - 1;
        return Math.floorDiv(room, (long) stride) + 1;
    }

    /** The result's shape (N, P, Q, K); throws if image and filter do not fit each other. */
    public Shape resultShape(Shape image, Shape filter) {
        checkOperands("Conv2d", image, "x", filter);
        return Shape.of(
                image.size(0),
                resultH(image.size(1), filter.size(0)),
                resultW(image.size(2), filter.size(1)),
                filter.size(3));
    }

    private void checkOperands(String op, Shape image, String imageName, Shape filter) {
        if (!(image.rank() == 4)) {
            throw Check.failed(op, imageName + " is " + image + ", expected rank 4 (N, H, W, C)");
        }
        if (!(filter.rank() == 4)) {
            throw Check.failed(op, "filter is " + filter + ", expected rank 4 (R, S, C / groups, K)");
        }
        if (!(filter.size(0) >= 1 && filter.size(1) >= 1)) {
            throw Check.failed(op, "filter is " + filter + ", expected R and S of 1 or more");
        }
        if (!(image.size(3) % groups == 0 && filter.size(3) % groups == 0)) {
            throw Check.failed(
                    op,
                    groups + " groups do not divide the channels of " + imageName + ", which is " + image
                            + ", and of filter, which is " + filter);
        }
        if (!(filter.size(2) == image.size(3) / groups)) {
            throw Check.failed(
                    op,
                    "filter is " + filter + ", expected " + image.size(3) / groups + " channels on axis 2 for "
                            + imageName + ", which is " + image + ", in " + groups + " groups");
        }
        if (!(resultH(image.size(1), filter.size(0)) >= 1 && resultW(image.size(2), filter.size(1)) >= 1)) {
            throw Check.failed(
                    op,
                    "filter, which is " + filter + ", is larger than " + imageName + ", which is " + image + ", under "
                            + this);
        }
    }

    /** Shapes and dtypes of the three tensors of a call, one of which is written. */
    void check(
            Op<?> op,
            Tensor written,
            Tensor image,
            String imageName,
            Tensor filter,
            String filterName,
            Tensor result,
            String resultName) {
        Check.present(image, op.name(), imageName);
        Check.present(filter, op.name(), filterName);
        Check.present(result, op.name(), resultName);
        Tensor first = written == image ? result : image;
        Check.supported(first, op, written == image ? resultName : imageName);
        checkDtype(op, written, first, image, imageName);
        checkDtype(op, written, first, filter, filterName);
        checkDtype(op, written, first, result, resultName);
        checkOperands(op.name(), image.shape(), imageName, filter.shape());
        Check.shape(result, resultShape(image.shape(), filter.shape()), op.name(), resultName);
    }

    private static void checkDtype(Op<?> op, Tensor written, Tensor first, Tensor tensor, String name) {
        if (tensor == written) {
            Check.storedOrSummed(tensor, first.dtype(), op.name(), name);
        } else {
            Check.dtype(tensor, first.dtype(), op.name(), name);
        }
    }

    /** Operations of any of the three ops: a multiply and an add per result element and tap. */
    static double flops(Tensor filter, Tensor result) {
        return 2.0 * result.elements() * filter.size(0) * filter.size(1) * filter.size(2);
    }

    /** For example {@code stride 2x1 padding 1x0 dilation 1x1 groups 1}. */
    @Override
    public String toString() {
        return "stride " + strideH + "x" + strideW + " padding " + paddingH + "x" + paddingW + " dilation " + dilationH
                + "x" + dilationW + " groups " + groups + (direct ? " direct" : "");
    }
}
