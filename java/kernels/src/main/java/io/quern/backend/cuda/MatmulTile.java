package io.quern.backend.cuda;

import io.quern.op.Matmul;

/** The tiles of c that a block makes. */
enum MatmulTile {
    /** A block to a multiprocessor, of which it takes the registers; on CUDA cores. */
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
        return this != WIDE || !kind.onTensorCores();
    }

    long count(Matmul.Args args) {
        return args.batch() * Math.ceilDiv(args.m(), rows) * Math.ceilDiv(args.n(), columns);
    }

    /** The largest tile with enough blocks: for the wide one so many that the last, half empty turn counts little. */
    static MatmulTile of(Matmul.Args args, ProductKind kind) {
        if (WIDE.exists(kind) && WIDE.count(args) >= 2 * MANY) {
            return WIDE;
        }
        return LARGE.count(args) >= MANY ? LARGE : SMALL;
    }
}
