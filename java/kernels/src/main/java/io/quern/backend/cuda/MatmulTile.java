package io.quern.backend.cuda;

import io.quern.op.Matmul;

/** The tiles of c that a block makes. */
enum MatmulTile {
    /** A block of 256 threads to a multiprocessor, of which it takes the registers. */
    WIDE(128, 256),
    LARGE(128, 128),
    SMALL(64, 64);

    /** So many blocks fill any GPU, where two of them share a multiprocessor. */
    static final long MANY = 128;

    final int rows;
    final int columns;

    MatmulTile(int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
    }

    boolean exists(ProductKind kind) {
        return this != WIDE || kind != ProductKind.TF32;
    }

    /** Threads of a block. */
    int block(ProductKind kind) {
        return this == WIDE ? 256 : kind.block;
    }

    /** Dynamic shared memory of a block: three slots of 64 bytes of each line, where that is more than any block may have. */
    int sharedBytes(ProductKind kind) {
        return this == WIDE && kind.onTensorCores() ? 3 * 64 * (rows + columns) : 0;
    }

    long count(Matmul.Args args) {
        return args.batch() * Math.ceilDiv(args.m(), rows) * Math.ceilDiv(args.n(), columns);
    }

    /** True if a product is larger than half of the tile either way: else most of it would be padding. */
    private boolean filled(Matmul.Args args) {
        return args.m() > rows / 2 && args.n() > columns / 2;
    }

    /** The largest tile that is filled and has enough blocks: twice as many of the wide one, so that its last turn counts little. */
    static MatmulTile of(Matmul.Args args, ProductKind kind) {
        if (WIDE.exists(kind) && WIDE.filled(args) && WIDE.count(args) >= 2 * MANY) {
            return WIDE;
        }
        return LARGE.filled(args) && LARGE.count(args) >= MANY ? LARGE : SMALL;
    }
}
