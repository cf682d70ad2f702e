package io.quern.backend.cuda;

import io.quern.op.Conv2dGeometry;
import io.quern.op.Precision;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** What the three passes of a convolution share: the problem as their kernels want it, and the choice of kernels. */
record ConvolutionLaunch(Tensor image, Tensor filter, Tensor result, Conv2dGeometry geometry) {
    static final int BLOCK = 256;
    /** Bytes of the widest access. */
    private static final int ACCESS = 16;
    /** Pixels that one thread of a direct kernel makes. */
    static final int STRIP = 4;
    /** Of an axis of the grid. */
    static final long MOST_BLOCKS = 65_535;
    /** With fewer channels per group, most of a tile would be empty. */
    private static final int LEAST_CHANNELS = 8;
    /** The same where there is one group: a thread per result has as many terms as a tile has then. */
    private static final int LEAST_DENSE = 4;
    /** Kernels count pixels and filter elements in 32 bits; tiles may stick out. */
    private static final long MOST = Integer.MAX_VALUE - 128;
    /** Of a padding, or between taps: less than kOutside of convolution.cuh. */
    private static final long MOST_PIXELS = 1 << 29;

    /** Pixels of a tile. */
    private static final long TILE = 128;

    /** Bytes that partial sums may take. */
    private static final long MOST_PARTIAL = 256L << 20;

    ProductKind kind(Precision precision) {
        boolean narrow = image.dtype() == DType.BF16 || filter.dtype() == DType.BF16;
        ProductKind kind = ProductKind.of(narrow ? DType.BF16 : DType.F32, precision);
        return kind == ProductKind.TF32 && !near() ? ProductKind.F32 : kind;
    }

    boolean supported(ProductKind kind) {
        return (kind != ProductKind.BF16 || near())
                && imagePixels() <= MOST
                && resultPixels() <= MOST
                && filter.elements() <= MOST
                && reach(image) <= MOST
                && reach(result) <= MOST
                && Math.max(geometry.paddingH(), geometry.paddingW()) < MOST_PIXELS
                && strips(image) <= MOST
                && strips(result) <= MOST
                && result.size(1) * result.size(2) * result.size(3) <= MOST;
    }

    /** More than the elements between those that the first and the last tap see. */
    private long reach(Tensor tensor) {
        long down = (long) geometry.dilationH() * filter.size(0);
        long across = (long) geometry.dilationW() * filter.size(1);
        return Math.max(down, across) < MOST_PIXELS
                ? ((down + 1) * tensor.size(2) + across) * tensor.size(3)
                : Long.MAX_VALUE;
    }

    /** True if a tile's pixels see no more than 32 bits can count. */
    private boolean near() {
        long seen = image.size(1) / geometry.strideH() * (image.size(2) / geometry.strideW());
        return span(image, result.size(1) * result.size(2)) <= MOST && span(result, seen) <= MOST;
    }

    /** Elements of the images that the pixels of a tile see, so many per image. */
    private long span(Tensor tensor, long pixels) {
        long images = TILE / Math.max(1, pixels) + 2;
        return images * tensor.size(1) * tensor.size(2) * tensor.size(3) + reach(tensor);
    }

    /** Threads of a direct kernel with one channel each. */
    private static long strips(Tensor tensor) {
        return tensor.size(0) * tensor.size(1) * Math.ceilDiv(tensor.size(2), (long) STRIP) * tensor.size(3);
    }

    long imagePixels() {
        return image.size(0) * image.size(1) * image.size(2);
    }

    long resultPixels() {
        return result.size(0) * result.size(1) * result.size(2);
    }

    /** Taps and channels that a result sums. */
    long terms() {
        return filter.size(0) * filter.size(1) * filter.size(2);
    }

    int groupC() {
        return filter.dim(2);
    }

    int groupK() {
        return filter.dim(3) / geometry.groups();
    }

    /** Pairs of remainders of an image pixel's row and column by the stride. */
    long remainders() {
        return (long) geometry.strideH() * geometry.strideW();
    }

    /** True when a thread per result is the better form: depthwise and nearly so. */
    boolean direct(int columns) {
        return columns < (geometry.groups() == 1 ? LEAST_DENSE : LEAST_CHANNELS) || geometry.groups() > MOST_BLOCKS;
    }

    /** True when tiles can be loaded 16 bytes at a time. */
    boolean vectors(ProductKind kind) {
        return groupC() % kind.lanes == 0 && groupK() % kind.lanes == 0 && aligned(kind.lanes, image, filter, result);
    }

    /** True if all groups have a channel each, and these are a multiple of a 16-byte access. */
    boolean depthwise(ProductKind kind) {
        return groupC() == 1 && groupK() == 1 && geometry.groups() % kind.lanes == 0;
    }

    /** Channels that a thread of a direct kernel makes. */
    int lanes(ProductKind kind, Tensor bias, Tensor preactivation) {
        boolean wide = depthwise(kind) && aligned(kind.lanes, image, filter, result, bias, preactivation);
        return wide ? kind.lanes : 1;
    }

    /** True when so many channels of all tensors can be accessed 16 bytes at a time; nulls pass. */
    private static boolean aligned(int lanes, Tensor... tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null && !(tensor.size(tensor.rank() - 1) % lanes == 0 && tensor.address() % ACCESS == 0)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Pieces of a sum: more for fewer blocks.
     *
     * @param blocks of one piece
     * @param wanted blocks in all
     * @param least terms of a piece
     * @param elements of the result
     */
    static int splits(long blocks, long wanted, long terms, long least, long elements) {
        long most = Math.min(terms / least, MOST_PARTIAL / Math.max(1, elements * Float.BYTES));
        return Math.toIntExact(Math.max(1, Math.min(wanted / Math.max(1, blocks), most)));
    }

    /** Adds Convolution of convolution.cuh. */
    Launch problem(Launch launch) {
        return launch.words(
                Launch.pair(image.dim(0), image.dim(1)),
                Launch.pair(image.dim(2), image.dim(3)),
                Launch.pair(filter.dim(0), filter.dim(1)),
                Launch.pair(filter.dim(3), result.dim(1)),
                Launch.pair(result.dim(2), geometry.strideH()),
                Launch.pair(geometry.strideW(), geometry.paddingH()),
                Launch.pair(geometry.paddingW(), geometry.dilationH()),
                Launch.pair(geometry.dilationW(), geometry.groups()),
                FastDivision.by(result.dim(1)),
                FastDivision.by(result.dim(2)));
    }
}
