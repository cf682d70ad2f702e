package io.quern.backend.scalar;

import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** The pixel and tap loops of a convolution over arrays; positions are offsets of channel 0. */
record Conv2dWalk(int h, int w, int c, int r, int s, int groupC, int k, int p, int q, Conv2dGeometry geometry) {

    static Conv2dWalk of(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry) {
        return new Conv2dWalk(
                image.dim(1),
                image.dim(2),
                image.dim(3),
                filter.dim(0),
                filter.dim(1),
                filter.dim(2),
                filter.dim(3),
                result.dim(1),
                result.dim(2),
                geometry);
    }

    static boolean supports(Tensor... tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null
                    && (tensor.dtype() != DType.F32 || !tensor.isContiguous() || tensor.elements() >= 1 << 30)) {
                return false;
            }
        }
        return true;
    }

    int groupK() {
        return k / geometry.groups();
    }

    interface Visitor {
        /** One tap of one result pixel inside the image. */
        void visit(int image, int result);
    }

    /** Visits the pixels of one image that tap (tapR, tapS) meets, in order. */
    void pixels(int n, int tapR, int tapS, Visitor visitor) {
        for (int row = 0; row < p; row++) {
            row(n, row, tapR, tapS, visitor);
        }
    }

    /** Visits one result row. */
    void row(int n, int row, int tapR, int tapS, Visitor visitor) {
        int y = row * geometry.strideH() - geometry.paddingH() + tapR * geometry.dilationH();
        if (y < 0 || y >= h) {
            return;
        }
        for (int column = 0; column < q; column++) {
            int x = column * geometry.strideW() - geometry.paddingW() + tapS * geometry.dilationW();
            if (x >= 0 && x < w) {
                visitor.visit(((n * h + y) * w + x) * c, ((n * p + row) * q + column) * k);
            }
        }
    }

    /** Offset of filter[tapR, tapS, channel, 0]. */
    int tap(int tapR, int tapS, int channel) {
        return ((tapR * s + tapS) * groupC + channel) * k;
    }
}
