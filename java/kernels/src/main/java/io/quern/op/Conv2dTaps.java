package io.quern.op;

import io.quern.tensor.Tensor;

/**
 * The loops that define convolution and both of its gradients: every product of an image element and a filter element,
 * with the result element it belongs to. Positions are row-major ranks.
 */
final class Conv2dTaps {
    private Conv2dTaps() {}

    @FunctionalInterface
    interface Visitor {
        void visit(long image, long filter, long result);
    }

    /** Visits all taps, result elements in order and the taps of one result element in the filter's order. */
    static void forEach(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry, Visitor visitor) {
        long h = image.size(1);
        long w = image.size(2);
        long c = image.size(3);
        long k = filter.size(3);
        long groupC = filter.size(2);
        long groupK = k / geometry.groups();
        long resultElement = 0;
        for (long n = 0; n < result.size(0); n++) {
            for (long p = 0; p < result.size(1); p++) {
                for (long q = 0; q < result.size(2); q++) {
                    for (long channel = 0; channel < k; channel++, resultElement++) {
                        long firstC = channel / groupK * groupC;
                        for (long r = 0; r < filter.size(0); r++) {
                            long y = p * geometry.strideH() - geometry.paddingH() + r * geometry.dilationH();
                            for (long s = 0; s < filter.size(1); s++) {
                                long x = q * geometry.strideW() - geometry.paddingW() + s * geometry.dilationW();
                                if (y < 0 || y >= h || x < 0 || x >= w) {
                                    continue;
                                }
                                long pixel = ((n * h + y) * w + x) * c + firstC;
                                long tap = (r * filter.size(1) + s) * groupC;
                                for (long i = 0; i < groupC; i++) {
                                    visitor.visit(pixel + i, (tap + i) * k + channel, resultElement);
                                }
                            }
                        }
                    }
                }
            }
        }
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
