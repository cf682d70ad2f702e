package io.quern.op;

import io.quern.tensor.Tensor;

/**
 * Minimal filtering F(4x4, 3x3): 4x4 results from 36 products instead of 144, and F(2x2, 5x5): 2x2 results from 36
 * instead of 100, after Winograd (1980) and Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
 * Y = A'[(G g G') * (B' d B)]A with points 0, +-A, +-B and infinity, of which B belongs to both.
 *
 * <p>The price is accuracy: the error of a result is relative to what its whole 6x6 tile of the source holds, not to its
 * own pixels. For 3x3 it is 4 to 5 times that of the direct sum with the usual points 1 and 2, with these 1.8 to 2.1 times
 * (root mean square over 64 channels; the pairs were compared by experiment, as Barabasz et al. (2020) propose). All of
 * the constants that {@code A} and {@code B} lead to, but the factors of G, are exact in single precision.
 *
 * <p>Which convolutions a kernel may compute so is part of the contract of {@link Conv2d} and its
 * gradients: those for which {@link #applies}, and their bounds count it in. What is not finite may
 * still reach no other results than in the direct sum.
 */
public final class Winograd {
    /** The smaller and the larger point. */
    public static final double A = 0.625, B = 1.5;

    private static final int SIDE = 6, FEWEST_CHANNELS = 16;
    /** Roundings on the way of an element through the transforms of source, filter and result. */
    private static final int ROUNDINGS = 24;
    /** |B'|. */
    private static final double[][] SOURCE = new double[SIDE][SIDE];

    static {
        double aa = A * A, bb = B * B;
        SOURCE[0] = new double[] {aa * bb, 0, aa + bb, 0, 1, 0};
        SOURCE[5] = new double[] {0, aa * bb, 0, aa + bb, 0, 1};
        for (int i = 1; i <= 4; i++) {
            double point = i <= 2 ? A : B, other = i <= 2 ? bb : aa;
            SOURCE[i] = new double[] {0, point * other, other, point, 1, 0};
        }
    }

    private Winograd() {}

    /** Side of a tile of results for filters of so many taps to a side. */
    public static int tile(int taps) {
        return SIDE + 1 - taps;
    }

    /** |G|, six values from so many taps. */
    private static double[][] filter(int taps) {
        double aa = A * A, bb = B * B;
        double[][] filter = new double[SIDE][taps];
        filter[0][0] = 1 / (aa * bb);
        filter[5][taps - 1] = 1;
        for (int i = 1; i <= 4; i++) {
            double point = i <= 2 ? A : B;
            for (int j = 0; j < taps; j++) {
                filter[i][j] = Math.pow(point, j) / (2 * point * point * (bb - aa));
            }
        }
        return filter;
    }

    /** |A'|, the results of a tile from six values. */
    private static double[][] result(int taps) {
        int tile = tile(taps);
        double[][] result = new double[tile][SIDE];
        result[0][0] = 1;
        result[tile - 1][5] = 1;
        for (int i = 1; i <= 4; i++) {
            for (int j = 0; j < tile; j++) {
                result[j][i] = Math.pow(i <= 2 ? A : B, j);
            }
        }
        return result;
    }

    /** Whether a kernel may use it: 3x3 or 5x5, no strides, dilation or groups, 16 channels or more, and not {@code direct}. */
    public static boolean applies(Conv2dGeometry geometry, long r, long s, long c, long k) {
        return !geometry.direct()
                && r == s
                && (r == 3 || r == 5)
                && Math.min(c, k) >= FEWEST_CHANNELS
                && geometry.groups() == 1
                && Math.max(geometry.strideH(), geometry.strideW()) == 1
                && Math.max(geometry.dilationH(), geometry.dilationW()) == 1;
    }

    /** What {@link Conv2d}'s bound needs on top of the direct one, or nothing. */
    static Bound forward(Tensor x, Tensor filter, Tensor y, Conv2dGeometry geometry, double u) {
        return bound(x, filter, y, geometry, false, u);
    }

    /** The same for {@link Conv2dBackwardData}: dy with the filter turned by 180 degrees. */
    static Bound backward(Tensor dy, Tensor filter, Tensor dx, Conv2dGeometry geometry, double u) {
        return bound(dy, filter, dx, geometry, true, u);
    }

    /** The same for {@link Conv2dBackwardWeights}: the transposed transforms, summed over tiles. */
    static Bound weights(Tensor x, Tensor dy, Tensor dfilter, Conv2dGeometry geometry, double u) {
        if (!applies(geometry, dfilter.size(0), dfilter.size(1), dfilter.size(2), dfilter.size(3))) {
            return (output, index, reference) -> 0;
        }
        int c = x.dim(3), k = dy.dim(3), tiles = 0, r = dfilter.dim(0), side = tile(r);
        double[][] result = transposed(result(r)), filter = transposed(filter(r));
        double[] image = Conv2dTaps.values(x), signal = Conv2dTaps.values(dy);
        double[][] products = new double[c * k][SIDE * SIDE];
        for (int n = 0; n < dy.dim(0); n++) {
            for (int top = 0; top < dy.dim(1); top += side) {
                for (int left = 0; left < dy.dim(2); left += side, tiles++) {
                    double[][] source = tile(image, x, n, top - geometry.paddingH(), left - geometry.paddingW());
                    for (int j = 0; j < k; j++) {
                        double[][] d = new double[side][side];
                        for (int p = 0; p < side * side; p++) {
                            d[p / side][p % side] = magnitude(signal, dy, n, top + p / side, left + p % side, j);
                        }
                        double[] values = flat(both(result, d));
                        for (int i = 0; i < c; i++) {
                            for (int p = 0; p < values.length; p++) {
                                products[i * k + j][p] += source[i][p] * values[p];
                            }
                        }
                    }
                }
            }
        }
        double[] magnitude = new double[Math.toIntExact(dfilter.elements())];
        for (int pair = 0; pair < c * k; pair++) {
            double[][] m = new double[SIDE][SIDE];
            for (int p = 0; p < SIDE * SIDE; p++) {
                m[p / SIDE][p % SIDE] = products[pair][p];
            }
            double[][] taps = both(filter, m);
            for (int tap = 0; tap < r * r; tap++) {
                magnitude[tap * c * k + pair] = taps[tap / r][tap % r];
            }
        }
        double gamma = Bounds.gamma(tiles + ROUNDINGS, u);
        return (output, index, reference) -> gamma * magnitude[(int) index];
    }

    private static double[][] transposed(double[][] m) {
        double[][] t = new double[m[0].length][m.length];
        for (int i = 0; i < m.length; i++) {
            for (int j = 0; j < m[0].length; j++) {
                t[j][i] = m[i][j];
            }
        }
        return t;
    }

    private static Bound bound(
            Tensor source, Tensor filter, Tensor result, Conv2dGeometry geometry, boolean back, double u) {
        if (!applies(geometry, filter.size(0), filter.size(1), filter.size(2), filter.size(3))) {
            return (output, index, reference) -> 0;
        }
        int depth = source.dim(3), width = result.dim(3), r = filter.dim(0), side = tile(r);
        double[][] last = result(r);
        double[][] filters = filters(Conv2dTaps.values(filter), r, depth, width, back);
        double[] image = Conv2dTaps.values(source), magnitude = new double[Math.toIntExact(result.elements())];
        int lowH = back ? geometry.paddingH() - (r - 1) : -geometry.paddingH();
        int lowW = back ? geometry.paddingW() - (r - 1) : -geometry.paddingW();
        for (int n = 0; n < result.dim(0); n++) {
            for (int y = 0; y < result.dim(1); y += side) {
                for (int x = 0; x < result.dim(2); x += side) {
                    double[][] tile = tile(image, source, n, y + lowH, x + lowW);
                    for (int k = 0; k < width; k++) {
                        double[][] products = new double[SIDE][SIDE];
                        for (int c = 0; c < depth; c++) {
                            for (int p = 0; p < SIDE * SIDE; p++) {
                                products[p / SIDE][p % SIDE] += tile[c][p] * filters[c * width + k][p];
                            }
                        }
                        double[][] results = both(last, products);
                        for (int i = 0; i < side && y + i < result.dim(1); i++) {
                            for (int j = 0; j < side && x + j < result.dim(2); j++) {
                                magnitude[((n * result.dim(1) + y + i) * result.dim(2) + x + j) * width + k] =
                                        results[i][j];
                            }
                        }
                    }
                }
            }
        }
        double gamma = Bounds.gamma(depth + ROUNDINGS, u);
        return (output, index, reference) -> gamma * magnitude[(int) index];
    }

    /** |G| |g| |G'| of every pair of channels. */
    private static double[][] filters(double[] filter, int r, int depth, int width, boolean back) {
        double[][] transform = filter(r);
        double[][] all = new double[depth * width][];
        for (int pair = 0; pair < all.length; pair++) {
            int d = pair / width, k = pair % width;
            double[][] g = new double[r][r];
            for (int tap = 0; tap < r * r; tap++) {
                int at = back ? ((r * r - 1 - tap) * width + k) * depth + d : (tap * depth + d) * width + k;
                g[tap / r][tap % r] = Math.abs(filter[at]);
            }
            all[pair] = flat(both(transform, g));
        }
        return all;
    }

    /** |B'| |d| |B| of every channel of one tile. */
    private static double[][] tile(double[] image, Tensor source, int n, int top, int left) {
        int depth = source.dim(3);
        double[][] all = new double[depth][];
        for (int c = 0; c < depth; c++) {
            double[][] d = new double[SIDE][SIDE];
            for (int p = 0; p < SIDE * SIDE; p++) {
                d[p / SIDE][p % SIDE] = magnitude(image, source, n, top + p / SIDE, left + p % SIDE, c);
            }
            all[c] = flat(both(SOURCE, d));
        }
        return all;
    }

    /** |element|, 0 outside the image or if it is not finite: then a kernel sums directly. */
    private static double magnitude(double[] values, Tensor image, int n, int y, int x, int c) {
        if (y < 0 || y >= image.dim(1) || x < 0 || x >= image.dim(2)) {
            return 0;
        }
        double value = values[((n * image.dim(1) + y) * image.dim(2) + x) * image.dim(3) + c];
        return Double.isFinite(value) ? Math.abs(value) : 0;
    }

    /** M X M'. */
    private static double[][] both(double[][] m, double[][] x) {
        int inner = x.length;
        double[][] left = new double[m.length][inner], result = new double[m.length][m.length];
        for (int i = 0; i < m.length; i++) {
            for (int j = 0; j < inner; j++) {
                for (int k = 0; k < inner; k++) {
                    left[i][j] += m[i][k] * x[k][j];
                }
            }
        }
        for (int i = 0; i < m.length; i++) {
            for (int j = 0; j < m.length; j++) {
                for (int k = 0; k < inner; k++) {
                    result[i][j] += left[i][k] * m[j][k];
                }
            }
        }
        return result;
    }

    private static double[] flat(double[][] x) {
        double[] flat = new double[SIDE * SIDE];
        for (int p = 0; p < flat.length; p++) {
            flat[p] = x[p / SIDE][p % SIDE];
        }
        return flat;
    }
}
