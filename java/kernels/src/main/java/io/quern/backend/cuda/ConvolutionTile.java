package io.quern.backend.cuda;

/**
 * The tiles of the implicit matrix products of a convolution: rows (pixels, or taps and channels) by columns (channels).
 * Which one is taken, and into how many pieces a sum is cut, depends on the shape alone, so that bits do not depend on the
 * GPU.
 */
enum ConvolutionTile {
    LARGE(128, 128),
    TALL(128, 64),
    SMALL(64, 64);

    /** So many blocks fill any GPU. */
    static final long MANY = 128;

    final int rows;
    final int columns;

    ConvolutionTile(int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
    }

    /** Blocks that make a product. */
    long count(long productRows, long productColumns) {
        return Math.ceilDiv(productRows, rows) * Math.ceilDiv(productColumns, (long) columns);
    }

    /**
     * The largest tile with enough blocks.
     *
     * @param products independent products of that size
     * @param large true if there is a kernel for the largest tile
     */
    static ConvolutionTile of(long productRows, long productColumns, long products, boolean large) {
        if (large && productColumns > TALL.columns && LARGE.count(productRows, productColumns) * products >= MANY) {
            return LARGE;
        }
        return TALL.count(productRows, productColumns) * products >= MANY ? TALL : SMALL;
    }

    /** The kernels of all tiles whose names begin so; null where there is none. */
    static CudaKernel[] kernels(CudaKernels kernels, String name, boolean large) {
        CudaKernel[] found = new CudaKernel[values().length];
        for (ConvolutionTile tile : values()) {
            if (large || tile != LARGE) {
                found[tile.ordinal()] = kernels.get(name + "_" + tile.rows + "x" + tile.columns);
            }
        }
        return found;
    }
}
