package io.quern.backend.cuda;

/**
 * The tiles of the implicit matrix products of a convolution: rows (pixels, or taps and channels) by columns (channels).
 * Which one is taken, and into how many pieces a sum is cut, depends on the shape and on whether channels can be loaded 16 bytes
 * at a time (their number and the addresses), not on the GPU.
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

    /** True if there is a kernel for it; wide: one that loads channels 16 bytes at a time. */
    boolean exists(ProductKind kind, boolean wide) {
        return wide || this == (kind.onTensorCores() ? SMALL : TALL) || this == SMALL;
    }

    /** Dynamic shared memory: three slots of 64 bytes of each line. */
    int sharedBytes(ProductKind kind) {
        return kind.onTensorCores() ? 3 * 64 * (rows + columns) : 0;
    }

    /**
     * The largest tile with enough blocks.
     *
     * @param products independent products of that size
     */
    static ConvolutionTile of(long productRows, long productColumns, long products, ProductKind kind, boolean wide) {
        for (ConvolutionTile tile : new ConvolutionTile[] {LARGE, TALL}) {
            boolean fills = tile == TALL || productColumns > TALL.columns;
            if (tile.exists(kind, wide) && fills && tile.count(productRows, productColumns) * products >= MANY) {
                return tile;
            }
        }
        return SMALL;
    }

    /** The largest tile that a product fills, where its sums can be cut into pieces. */
    static ConvolutionTile filled(long productRows, long productColumns, ProductKind kind, boolean wide) {
        if (productRows <= SMALL.rows || !TALL.exists(kind, wide)) {
            return SMALL;
        }
        return LARGE.exists(kind, wide) && productColumns > TALL.columns ? LARGE : TALL;
    }
}
