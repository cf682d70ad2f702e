package io.quern.backend.cuda;

import io.quern.backend.layout.StridedAxes;

/**
 * How x's axis of stride 1 and y's last one are cut into tiles: Planes of transpose.cu.
 *
 * @param axes y's extents and x's strides along them
 * @param unit x's axis of stride 1, not y's last
 * @param bytes of an element
 * @param aligned bit 0: x's address is a multiple of 16 bytes; bit 1: y's is
 */
record TransposePlanes(StridedAxes axes, int unit, int bytes, int aligned) {
    private static final int TILE_BYTES = 1 << 14;
    /** The least extent of a tile, as a power of two. */
    private static final int LEAST = 2;
    /** A tile in which less than one in so many elements is of use is a waste. */
    private static final int WASTE = 4;

    private static final int BLOCK = 256;
    private static final int OUTER_AXES = 6;

    private int last() {
        return axes.rank() - 1;
    }

    private long rows() {
        return axes.extent(last());
    }

    private long columns() {
        return axes.extent(unit);
    }

    /** Exponent of the elements of a tile. */
    private int logTile() {
        return Integer.numberOfTrailingZeros(TILE_BYTES / bytes);
    }

    /** Exponent of the rows of a tile: as square as the extents allow. */
    private int logRows() {
        int square = logTile() / 2;
        int most = exponent(rows());
        return most < square ? most : Math.max(square, logTile() - exponent(columns()));
    }

    private static int exponent(long extent) {
        return Math.max(LEAST, Long.SIZE - Long.numberOfLeadingZeros(extent - 1));
    }

    private long down() {
        return Math.ceilDiv(rows(), 1L << logRows());
    }

    private long across() {
        return Math.ceilDiv(columns(), 1L << logTile() - logRows());
    }

    private long tiles() {
        return down() * across() * (axes.elements() / rows() / columns());
    }

    /** True if tiles are well filled, and can be counted in 32 bits. */
    boolean worthwhile() {
        return Math.max(rows(), columns()) <= Integer.MAX_VALUE
                && tiles() <= Integer.MAX_VALUE
                && rows() * columns() >= (down() * across() << logTile()) / WASTE;
    }

    /** Bit 0: rows of x can be read 16 bytes at a time; bit 1: columns of y can be written so. */
    private int packed() {
        int lanes = 16 / bytes;
        boolean x = columns() % lanes == 0;
        for (int axis = 0; axis < axes.rank(); axis++) {
            x &= axis == unit || axes.stride(axis) % lanes == 0;
        }
        boolean y = rows() % lanes == 0;
        return aligned & ((x ? 1 : 0) | (y ? 2 : 0));
    }

    /** Adds the argument and launches. */
    void run(Launch launch) {
        StridedAxes x = axes.without(last()).without(unit);
        StridedAxes y = axes.rowMajor().without(last()).without(unit);
        long[] words = new long[8 + 4 * OUTER_AXES];
        words[0] = axes.stride(last());
        words[1] = axes.rowMajor().stride(unit);
        words[2] = Launch.pair(Math.toIntExact(rows()), Math.toIntExact(columns()));
        words[3] = Launch.pair(Math.toIntExact(across()), Math.toIntExact(down()));
        words[4] = FastDivision.by(Math.toIntExact(across()));
        words[5] = FastDivision.by(Math.toIntExact(down()));
        words[6] = Launch.pair(logRows(), packed());
        words[7] = x.rank();
        for (int axis = 0; axis < x.rank(); axis++) {
            words[8 + axis] = x.extent(axis);
            words[8 + OUTER_AXES + axis] = x.stride(axis);
            words[8 + 2 * OUTER_AXES + axis] = y.stride(axis);
            words[8 + 3 * OUTER_AXES + axis] = FastDivision.by(Math.toIntExact(x.extent(axis)));
        }
        launch.words(words).run(tiles(), 1, 1, BLOCK, 0);
    }
}
