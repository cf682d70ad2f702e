package io.quern.op;

import java.util.List;

/**
 * Extents and geometry of one convolution, and the list of those that break kernels; the cases of all three ops.
 *
 * @param c channels of the image
 * @param k channels of the result
 */
record Conv2dProblem(int n, int h, int w, int c, int r, int s, int k, Conv2dGeometry geometry) {
    private static final Conv2dGeometry UNIT = Conv2dGeometry.UNIT;

    /**
     * Strides, paddings, dilations and groups, equal and unequal in h and w; channels around the lanes of 128, 256 and 512
     * bit vectors; images smaller than the filter; results narrower and wider than a register tile.
     */
    static final List<Conv2dProblem> ALL = List.of(
            // one of everything, empty batch, no channels
            new Conv2dProblem(1, 1, 1, 1, 1, 1, 1, UNIT),
            new Conv2dProblem(0, 5, 5, 3, 3, 3, 4, UNIT),
            new Conv2dProblem(2, 4, 4, 0, 3, 3, 4, UNIT.withPadding(1)),
            new Conv2dProblem(2, 4, 4, 3, 3, 3, 0, UNIT.withPadding(1)),
            // first layers
            new Conv2dProblem(2, 12, 12, 1, 5, 5, 32, UNIT.withPadding(2)),
            new Conv2dProblem(3, 11, 9, 1, 3, 3, 17, UNIT),
            new Conv2dProblem(2, 10, 10, 3, 3, 3, 16, UNIT.withPadding(1)),
            new Conv2dProblem(1, 17, 19, 3, 7, 7, 8, UNIT.withStride(2).withPadding(3)),
            new Conv2dProblem(1, 6, 19, 3, 3, 3, 112, UNIT.withPadding(1)),
            new Conv2dProblem(2, 9, 35, 3, 3, 3, 64, UNIT.withStride(2, 2).withPadding(1)),
            new Conv2dProblem(1, 7, 20, 2, 3, 3, 24, UNIT.withPadding(0, 2).withDilation(2, 1)),
            // one channel and few results: rows of several vectors, bands of an image, a last tap and plane alone
            new Conv2dProblem(3, 20, 21, 1, 5, 5, 6, UNIT.withPadding(2)),
            new Conv2dProblem(1, 33, 20, 1, 3, 3, 3, UNIT.withPadding(1)),
            new Conv2dProblem(
                    2, 9, 17, 1, 3, 2, 8, UNIT.withStride(2, 1).withPadding(1).withDilation(1, 2)),
            // four to eight channels: five taps side by side, rows of one to three vectors, bands of the planes of dy,
            // padding beyond the filter, rows of the image that meet no dy, none at all; some of them with work for
            // threads
            new Conv2dProblem(3, 14, 14, 6, 5, 5, 16, UNIT),
            new Conv2dProblem(1, 5, 31, 8, 2, 5, 48, UNIT.withPadding(0, 1)),
            new Conv2dProblem(1, 40, 32, 8, 5, 5, 16, UNIT.withPadding(2, 1)),
            new Conv2dProblem(2, 14, 12, 5, 3, 3, 64, UNIT.withPadding(1)),
            new Conv2dProblem(2, 6, 35, 6, 3, 3, 9, UNIT),
            new Conv2dProblem(1, 5, 16, 5, 1, 5, 16, UNIT.withPadding(1, 6)),
            new Conv2dProblem(1, 5, 16, 5, 3, 3, 8, UNIT.withPadding(4, 3)),
            new Conv2dProblem(1, 6, 9, 5, 3, 3, 8, UNIT.withPadding(1)),
            new Conv2dProblem(1, 6, 10, 6, 3, 3, 8, UNIT.withPadding(1)),
            new Conv2dProblem(1, 10, 16, 5, 2, 3, 8, UNIT.withDilation(7, 1)),
            new Conv2dProblem(1, 0, 16, 5, 3, 3, 8, UNIT.withPadding(2)),
            new Conv2dProblem(1, 3, 20, 4, 3, 2, 8, UNIT.withPadding(0, 2).withDilation(1, 2)),
            // inner layers
            new Conv2dProblem(1, 9, 9, 16, 3, 3, 16, UNIT.withPadding(1)),
            new Conv2dProblem(2, 7, 7, 17, 3, 3, 33, UNIT.withPadding(1)),
            new Conv2dProblem(1, 6, 6, 32, 3, 3, 64, UNIT.withPadding(1)),
            new Conv2dProblem(3, 5, 4, 33, 3, 3, 32, UNIT.withPadding(1)),
            new Conv2dProblem(2, 9, 8, 6, 3, 3, 31, UNIT.withPadding(1)),
            new Conv2dProblem(2, 8, 8, 8, 5, 5, 6, UNIT.withPadding(2)),
            new Conv2dProblem(1, 40, 3, 2, 3, 3, 5, UNIT.withPadding(1)),
            new Conv2dProblem(1, 3, 41, 5, 3, 3, 3, UNIT),
            // enough work for threads: bands of images, groups of images
            new Conv2dProblem(3, 12, 12, 8, 3, 3, 20, UNIT.withPadding(1)),
            new Conv2dProblem(9, 4, 4, 16, 3, 3, 33, UNIT.withPadding(1)),
            // Winograd: few tiles and many channels, many tiles and few channels, tiles that stick out, direct on
            // demand
            new Conv2dProblem(1, 12, 12, 32, 3, 3, 32, UNIT.withPadding(1)),
            new Conv2dProblem(2, 13, 10, 16, 3, 3, 48, UNIT.withPadding(1, 0)),
            new Conv2dProblem(1, 21, 18, 16, 3, 3, 16, UNIT.withPadding(2, 3)),
            new Conv2dProblem(2, 19, 18, 32, 3, 3, 16, UNIT),
            new Conv2dProblem(1, 12, 12, 16, 3, 3, 16, UNIT.withPadding(1).withDirect()),
            new Conv2dProblem(1, 11, 8, 16, 5, 5, 32, UNIT.withPadding(2)),
            new Conv2dProblem(2, 9, 10, 32, 5, 5, 16, UNIT.withPadding(0, 1)),
            // strides
            new Conv2dProblem(2, 8, 8, 16, 3, 3, 32, UNIT.withStride(2).withPadding(1)),
            new Conv2dProblem(2, 9, 7, 3, 3, 3, 5, UNIT.withStride(2).withPadding(1)),
            new Conv2dProblem(2, 9, 10, 4, 3, 2, 7, UNIT.withStride(2, 1).withPadding(0, 1)),
            new Conv2dProblem(1, 9, 10, 4, 2, 4, 9, UNIT.withStride(1, 3).withPadding(1, 2)),
            new Conv2dProblem(2, 10, 10, 5, 2, 2, 18, UNIT.withStride(4)),
            // many channels, whose filter gradient is a matrix product per tap
            new Conv2dProblem(1, 5, 4, 128, 3, 2, 129, UNIT.withStride(2, 1).withPadding(1)),
            // 1x1
            new Conv2dProblem(2, 6, 5, 16, 1, 1, 33, UNIT),
            new Conv2dProblem(3, 5, 5, 3, 1, 1, 4, UNIT.withPadding(1)),
            new Conv2dProblem(2, 8, 8, 16, 1, 1, 32, UNIT.withStride(2)),
            new Conv2dProblem(2, 7, 6, 33, 1, 1, 6, UNIT.withStride(2, 3)),
            new Conv2dProblem(2, 6, 7, 8, 1, 1, 70, UNIT),
            new Conv2dProblem(2, 6, 7, 15, 1, 1, 132, UNIT.withStride(2).withPadding(1)),
            new Conv2dProblem(1, 33, 32, 5, 1, 1, 16, UNIT),
            // dilation
            new Conv2dProblem(1, 10, 11, 6, 3, 3, 16, UNIT.withDilation(2).withPadding(2)),
            new Conv2dProblem(2, 9, 9, 1, 3, 2, 3, UNIT.withDilation(1, 3)),
            new Conv2dProblem(
                    1, 11, 12, 3, 3, 3, 8, UNIT.withStride(2).withDilation(2).withPadding(1, 2)),
            new Conv2dProblem(
                    1,
                    12,
                    10,
                    2,
                    3,
                    3,
                    4,
                    UNIT.withStride(2, 3).withDilation(3, 2).withPadding(3)),
            // images smaller than the filter, padding beyond it
            new Conv2dProblem(2, 2, 1, 3, 3, 3, 4, UNIT.withPadding(1)),
            new Conv2dProblem(1, 1, 1, 8, 5, 5, 16, UNIT.withPadding(2)),
            new Conv2dProblem(1, 2, 2, 2, 1, 1, 3, UNIT.withPadding(3)),
            new Conv2dProblem(1, 3, 3, 2, 2, 2, 3, UNIT.withPadding(4).withStride(3)),
            // groups
            new Conv2dProblem(2, 6, 6, 8, 3, 3, 12, UNIT.withPadding(1).withGroups(2)),
            new Conv2dProblem(1, 5, 6, 6, 3, 3, 9, UNIT.withGroups(3).withStride(1, 2)),
            new Conv2dProblem(1, 6, 6, 32, 3, 3, 64, UNIT.withPadding(1).withGroups(2)),
            new Conv2dProblem(1, 7, 7, 34, 1, 1, 34, UNIT.withStride(2).withGroups(2)),
            // depthwise, also with several results per channel
            new Conv2dProblem(2, 7, 7, 16, 3, 3, 16, UNIT.withPadding(1).withGroups(16)),
            new Conv2dProblem(
                    1, 8, 9, 33, 3, 3, 33, UNIT.withPadding(1).withStride(2).withGroups(33)),
            new Conv2dProblem(
                    2,
                    7,
                    6,
                    7,
                    5,
                    3,
                    7,
                    UNIT.withPadding(2, 1).withDilation(1, 2).withGroups(7)),
            new Conv2dProblem(1, 6, 6, 5, 3, 3, 10, UNIT.withPadding(1).withGroups(5)),
            new Conv2dProblem(
                    2, 9, 13, 16, 3, 3, 16, UNIT.withPadding(1).withStride(2).withGroups(16)),
            new Conv2dProblem(1, 5, 16, 32, 3, 3, 32, UNIT.withPadding(0, 2).withGroups(32)),
            new Conv2dProblem(
                    1, 8, 8, 32, 3, 3, 32, UNIT.withPadding(2, 0).withStride(2).withGroups(32)),
            new Conv2dProblem(3, 12, 12, 40, 3, 3, 40, UNIT.withPadding(1).withGroups(40)),
            new Conv2dProblem(2, 1, 1, 16, 3, 3, 16, UNIT.withPadding(1).withGroups(16)),
            new Conv2dProblem(1, 3, 6, 32, 3, 3, 32, UNIT.withPadding(2, 1).withGroups(32)),
            new Conv2dProblem(
                    1, 6, 2, 16, 3, 3, 16, UNIT.withPadding(1).withStride(2).withGroups(16)),
            // rows of one to three pixels, whose neighbours are all borders; none, all padding
            new Conv2dProblem(1, 4, 1, 3, 3, 3, 16, UNIT.withPadding(1)),
            new Conv2dProblem(2, 5, 2, 3, 3, 3, 16, UNIT.withPadding(1)),
            new Conv2dProblem(1, 4, 3, 3, 3, 3, 48, UNIT.withPadding(1)),
            new Conv2dProblem(1, 3, 2, 16, 3, 3, 16, UNIT.withPadding(1).withGroups(16)),
            new Conv2dProblem(1, 3, 3, 16, 3, 3, 16, UNIT.withPadding(1).withGroups(16)),
            new Conv2dProblem(1, 3, 4, 16, 3, 3, 16, UNIT.withPadding(1).withGroups(16)),
            new Conv2dProblem(1, 3, 5, 16, 3, 3, 16, UNIT.withPadding(1).withGroups(16)),
            new Conv2dProblem(
                    1, 3, 5, 16, 3, 3, 16, UNIT.withPadding(1).withStride(2).withGroups(16)),
            new Conv2dProblem(1, 3, 0, 16, 3, 3, 16, UNIT.withPadding(2).withGroups(16)),
            // no images, for kernels in blocks of pixels
            new Conv2dProblem(0, 5, 5, 16, 1, 1, 80, UNIT.withStride(2)),
            new Conv2dProblem(
                    0, 6, 6, 16, 3, 3, 16, UNIT.withPadding(1).withStride(2).withGroups(16)),
            // register tiles of four vectors of results, and what such panels leave, at borders
            new Conv2dProblem(1, 7, 6, 16, 3, 3, 130, UNIT.withPadding(1).withDirect()),
            new Conv2dProblem(2, 9, 8, 17, 3, 3, 100, UNIT.withStride(2).withPadding(1)));

    /** For tensor cores, whose tiles have 16 bytes of channels at a time: whole, cut, in groups, strided; sums in parts. */
    static final List<Conv2dProblem> TENSOR_CORES = List.of(
            new Conv2dProblem(2, 7, 6, 24, 3, 3, 40, UNIT.withPadding(1)),
            new Conv2dProblem(1, 9, 8, 17, 3, 3, 9, UNIT.withStride(2).withPadding(1)),
            new Conv2dProblem(
                    2,
                    8,
                    7,
                    16,
                    2,
                    3,
                    32,
                    UNIT.withStride(2, 1).withDilation(1, 2).withGroups(2)),
            new Conv2dProblem(1, 17, 19, 64, 3, 3, 8, UNIT.withPadding(1)),
            new Conv2dProblem(1, 13, 11, 3, 5, 5, 16, UNIT.withStride(2).withPadding(2)));

    /** For what follows the sums where Winograd pays: tiles or filters first, whole and cut ones of both sizes. */
    static final List<Conv2dProblem> WINOGRAD = List.of(
            new Conv2dProblem(2, 13, 9, 16, 3, 3, 48, UNIT.withPadding(1, 0)),
            new Conv2dProblem(1, 12, 12, 32, 3, 3, 64, UNIT.withPadding(1)),
            new Conv2dProblem(1, 21, 18, 16, 3, 3, 16, UNIT.withPadding(2, 3)),
            new Conv2dProblem(2, 9, 10, 32, 5, 5, 16, UNIT.withPadding(0, 1)));

    String label() {
        return "image " + n + "x" + h + "x" + w + "x" + c + " filter " + r + "x" + s + "x" + c / geometry.groups() + "x"
                + k + " " + geometry;
    }

    long[] image() {
        return new long[] {n, h, w, c};
    }

    long[] filter() {
        return new long[] {r, s, c / geometry.groups(), k};
    }

    long[] result() {
        return new long[] {n, geometry.resultH(h, r), geometry.resultW(w, s), k};
    }
}
