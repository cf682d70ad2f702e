package io.quern.backend.cuda;

import io.quern.op.Matmul;

/**
 * How a product is cut: tiles of c, and parts of k where there are few tiles. It depends on the shape alone, so that bits
 * do not depend on the GPU, but for BF16 on a Hopper, which {@link MatmulHopper} cuts.
 *
 * @param splits parts of k, added in order
 */
record MatmulTiles(MatmulTile tile, int splits) {
    private static final int LEAST_K = 256;
    private static final int MOST_SPLITS = 16;
    private static final int MOST_BLOCKS = 65_535;

    static MatmulTiles of(Matmul.Args args, ProductKind kind) {
        MatmulTile tile = MatmulTile.of(args, kind);
        long wanted = Math.min(MatmulTile.MANY / Math.max(1, tile.count(args)), args.k() / LEAST_K);
        return new MatmulTiles(tile, Math.toIntExact(Math.clamp(wanted, 1, MOST_SPLITS)));
    }

    /** True when the grid has room for it. */
    static boolean fits(Matmul.Args args) {
        return Math.ceilDiv(args.m(), MatmulTile.SMALL.rows) <= MOST_BLOCKS
                && args.batch() * MOST_SPLITS <= MOST_BLOCKS;
    }
}
