package io.quern.op;

import io.quern.tensor.Tensor;

/**
 * The loops that define convolution and both of its gradients: every product of an image element and a filter element,
 * with the result element it belongs to. Positions are row-major ranks; -1 stands for one outside, whose value is 0.
 *
 * <p>Such a zero is a factor like any other here: beside an infinite or NaN element it makes NaN, as it does in the
 * matrix products that kernels make of a convolution. A kernel may skip it instead, so what an infinite factor makes of
 * padding is not part of the contract.
 */
final class Conv2dTaps {
    private Conv2dTaps() {}

    @FunctionalInterface
    interface Visitor {
        void visit(int image, int filter, int result);
    }

    /** All taps of all result elements; the image element may be outside. */
    static void ofResults(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry, Visitor visitor) {
        int h = image.dim(1);
        int w = image.dim(2);
        int groupC = filter.dim(2);
        int k = filter.dim(3);
        int results = Math.toIntExact(result.elements());
        for (int element = 0; element < results; element++) {
            int channel = element % k;
            int pixel = element / k;
            int n = pixel / result.dim(2) / result.dim(1);
            int firstY = pixel / result.dim(2) % result.dim(1) * geometry.strideH() - geometry.paddingH();
            int firstX = pixel % result.dim(2) * geometry.strideW() - geometry.paddingW();
            int firstC = channel / (k / geometry.groups()) * groupC;
            for (int tap = 0; tap < filter.dim(0) * filter.dim(1); tap++) {
                int y = firstY + tap / filter.dim(1) * geometry.dilationH();
                int x = firstX + tap % filter.dim(1) * geometry.dilationW();
                boolean inside = y >= 0 && y < h && x >= 0 && x < w;
                int base = ((n * h + y) * w + x) * image.dim(3) + firstC;
                for (int c = 0; c < groupC; c++) {
                    visitor.visit(inside ? base + c : -1, (tap * groupC + c) * k + channel, element);
                }
            }
        }
    }

    /** All taps of all image elements; the result element may be outside. */
    static void ofImages(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry, Visitor visitor) {
        int channels = image.dim(3);
        int p = result.dim(1);
        int q = result.dim(2);
        int groupC = filter.dim(2);
        int k = filter.dim(3);
        int groupK = k / geometry.groups();
        int images = Math.toIntExact(image.elements());
        for (int element = 0; element < images; element++) {
            int channel = element % channels;
            int pixel = element / channels;
            int n = pixel / image.dim(2) / image.dim(1);
            int firstK = channel / groupC * groupK;
            for (int tap = 0; tap < filter.dim(0) * filter.dim(1); tap++) {
                int y = pixel / image.dim(2) % image.dim(1)
                        + geometry.paddingH()
                        - tap / filter.dim(1) * geometry.dilationH();
                int x = pixel % image.dim(2) + geometry.paddingW() - tap % filter.dim(1) * geometry.dilationW();
                if (y % geometry.strideH() != 0 || x % geometry.strideW() != 0) {
                    continue;
                }
                y /= geometry.strideH();
                x /= geometry.strideW();
                boolean inside = y >= 0 && y < p && x >= 0 && x < q;
                int base = ((n * p + y) * q + x) * k + firstK;
                int weight = (tap * groupC + channel % groupC) * k + firstK;
                for (int j = 0; j < groupK; j++) {
                    visitor.visit(element, weight + j, inside ? base + j : -1);
                }
            }
        }
    }

    /** All elements, read once: strided reads in the inner loop would be slow. */
    static double[] values(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.get(i);
        }
        return values;
    }

    /** Zeroed sums, one per element of a tensor. */
    static double[] sums(Tensor tensor) {
        return new double[Math.toIntExact(tensor.elements())];
    }

    /** Rounds the sums into the tensor. */
    static void store(double[] sums, Tensor tensor) {
        for (int i = 0; i < sums.length; i++) {
            tensor.set(i, sums[i]);
        }
    }
}
