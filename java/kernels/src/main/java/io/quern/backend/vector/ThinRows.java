package io.quern.backend.vector;

/**
 * Images of one channel as rows whose pixels are lanes: when they are worth it, and rows copied between zeros, which
 * {@link ThinCorrelation} and {@link ThinFilterGradient} read at the offsets of taps.
 */
final class ThinRows {
    /** Most channels of results: as many as are turned into planes at once. */
    static final int CHANNELS = 8;
    /** Multiply-adds below which threads cost more than they bring. */
    static final double PARALLEL = 1 << 19;

    private ThinRows() {}

    /** One image channel, few results, and pixels that are neighbours. */
    static boolean fits(ConvShape shape) {
        return shape.c() == 1
                && shape.geometry().strideW() == 1
                && shape.k() > 0
                && shape.k() <= Math.min(CHANNELS, Lanes.FLOATS / 2)
                && 2 * shape.q() >= Lanes.FLOATS
                && shape.r() * shape.s() > 1
                && shape.n() > 0
                && shape.p() > 0;
    }

    /** Bytes of a row of the copied image, for {@code line} bytes of results. */
    static long row(ConvShape shape, long line) {
        return line + (shape.s() - 1L) * shape.geometry().dilationW() * Float.BYTES;
    }

    /** Rows of the image that a row of results reads, first to last. */
    static long reach(ConvShape shape) {
        return (shape.r() - 1L) * shape.geometry().dilationH() + 1;
    }

    /** Bytes from the first tap to each, in the copied image. */
    static long[] offsets(ConvShape shape, long row) {
        long[] taps = new long[shape.r() * shape.s()];
        for (int tap = 0; tap < taps.length; tap++) {
            taps[tap] = tap / shape.s() * shape.geometry().dilationH() * row
                    + (long) tap % shape.s() * shape.geometry().dilationW() * Float.BYTES;
        }
        return taps;
    }

    /** Rows of x from one that may lie above it, between zeros. */
    static void copy(ConvShape shape, long row, long x, int top, int rows, long to) {
        int wide = (int) (row / Float.BYTES),
                left = Math.min(wide, shape.geometry().paddingW());
        int live = Math.min(shape.w(), wide - left);
        int first = top - shape.geometry().paddingH();
        int above = Math.clamp(-(long) first, 0, rows),
                below = Math.clamp((long) first + rows - shape.h(), 0, rows - above);
        Copies.framed(
                x + 4L * (first + above) * shape.w(),
                4L * shape.w(),
                above,
                rows - above - below,
                below,
                4L * left,
                4L * live,
                4L * (wide - left - live),
                to);
    }
}
