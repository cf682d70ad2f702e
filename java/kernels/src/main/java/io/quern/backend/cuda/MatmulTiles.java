package io.quern.backend.cuda;

import io.quern.op.Matmul;

/**
 * How a product is cut: tiles of c, and parts of k where there are few tiles. It depends on the shape alone, so that bits
 * do not depend on the GPU, but for BF16 on a Hopper, which {@link MatmulHopper} cuts.
 *
 * @param size rows and columns of a tile
 * @param splits parts of k, added in order
 */
record MatmulTiles(int size, int splits) {
    static final int LARGE = 128;
    static final int SMALL = 64;

    /** So many large tiles fill any GPU. */
    private static final long MANY = 128;

    private static final int LEAST_K = 256;
    private static final int MOST_SPLITS = 16;
    private static final int MOST_BLOCKS = 65_535;

    static MatmulTiles of(Matmul.Args args) {
        int size = count(args, LARGE) >= MANY ? LARGE : SMALL;
        long wanted = Math.min(MANY / Math.max(1, count(args, size)), args.k() / LEAST_K);
        return new MatmulTiles(size, Math.toIntExact(Math.clamp(wanted, 1, MOST_SPLITS)));
    }

    private static long count(Matmul.Args args, int size) {
        return args.batch() * Math.ceilDiv(args.m(), size) * Math.ceilDiv(args.n(), size);
    }

    /** True when the grid has room for it. */
    static boolean fits(Matmul.Args args) {
        return Math.ceilDiv(args.m(), SMALL) <= MOST_BLOCKS && args.batch() * MOST_SPLITS <= MOST_BLOCKS;
    }
}
