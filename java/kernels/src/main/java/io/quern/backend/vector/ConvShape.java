package io.quern.backend.vector;

import io.quern.op.Conv2dGeometry;
import io.quern.op.Winograd;
import io.quern.tensor.Tensor;

/** The extents of a convolution as ints, under their usual names. */
record ConvShape(int n, int h, int w, int c, int r, int s, int k, int p, int q, Conv2dGeometry geometry) {
    static ConvShape of(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry) {
        return new ConvShape(
                image.dim(0),
                image.dim(1),
                image.dim(2),
                image.dim(3),
                filter.dim(0),
                filter.dim(1),
                filter.dim(3),
                result.dim(1),
                result.dim(2),
                geometry);
    }

    int groups() {
        return geometry.groups();
    }

    /** True when every channel is a group of its own with one result. */
    boolean depthwise() {
        return groups() > 1 && c == groups() && k == groups();
    }

    /** True when the contract allows Winograd's sums. */
    boolean winograd() {
        return Winograd.applies(geometry, r, s, c, k);
    }

    /** Image channels of a group. */
    int groupC() {
        return c / groups();
    }

    /** Result channels of a group. */
    int groupK() {
        return k / groups();
    }

    /** Elements of the filter. */
    long filterElements() {
        return (long) r * s * groupC() * k;
    }

    ConvAxis forwardH() {
        return ConvAxis.forward(h, p, r, geometry.strideH(), geometry.paddingH(), geometry.dilationH());
    }

    ConvAxis forwardW() {
        return ConvAxis.forward(w, q, s, geometry.strideW(), geometry.paddingW(), geometry.dilationW());
    }

    ConvAxis backwardH() {
        return ConvAxis.backward(p, h, r, geometry.strideH(), geometry.paddingH(), geometry.dilationH());
    }

    ConvAxis backwardW() {
        return ConvAxis.backward(q, w, s, geometry.strideW(), geometry.paddingW(), geometry.dilationW());
    }

    /** Multiply-adds of any of the three passes. */
    double work() {
        return (double) n * p * q * filterElements();
    }
}
