package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;

/**
 * One block of C for one k block: the loop over tiles. Operands come as packed panels, or, where {@code directA} or
 * {@code directB} is set, in place.
 *
 * @param m, n rows and columns of all of C
 */
record GemmBlock(
        GemmTile shape,
        int m,
        int n,
        int k,
        float alpha,
        GemmPanels directA,
        GemmPanels directB,
        float beta,
        long c,
        long ldc,
        Epilogue epilogue) {
    /** Bytes of C, and of A in place, from which they are asked for ahead: a caller has them in no near cache. */
    private static final long FAR_C = 4 << 20, FAR_A = Copies.CACHED;
    /** Bytes of a tile of A for which asking costs little beside its products. */
    private static final int MUCH = 1024;

    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** A panel of B stays in L1 or L2 while the panels of A pass by from L2. */
    void multiply(int row0, int rows, int col0, int columns, int p, int depth, long packedA, long packedB, long tile) {
        if (p == 0 && beta != 0 && beta != 1) {
            scale(row0, rows, col0, columns);
        }
        int tileRows = shape.rows, tileColumns = shape.columns;
        boolean add = p > 0 || beta != 0, last = p + depth == k;
        int alphaBits = Float.floatToRawIntBits(alpha);
        long firstA = packedA, rs = Float.BYTES, cs = tileRows * 4L, panelA = cs * depth;
        if (directA != null) {
            rs = directA.along();
            cs = directA.deep();
            firstA = directA.base() + row0 * rs + p * cs;
            panelA = tileRows * rs;
        }
        long bj = packedB, bs = tileColumns * 4L, panelB = bs * depth;
        if (directB != null) {
            bs = directB.deep();
            bj = directB.base() + (long) col0 * Float.BYTES + p * bs;
            panelB = tileColumns * 4L;
        }
        // a C of one panel is written in the order of memory, which the machine foresees
        boolean farC = p == 0 && columns > tileColumns && (long) m * n * Float.BYTES >= FAR_C;
        // two panels at once: their rows are closer to each other than to those of other panels
        boolean wholeC = columns <= 2 * tileColumns;
        boolean farA = directA != null
                && directA.isDeep()
                && depth == k
                && tileRows * rs >= MUCH
                && (long) m * k * Float.BYTES >= FAR_A;
        for (int j = 0, wide; j < columns; j += wide, bj += panelB) {
            wide = shape.width(columns - j, directB != null);
            long cij = c + row0 * ldc + (long) (col0 + j) * Float.BYTES, ai = firstA;
            long inB = directB == null ? GemmTile.PADDED : n;
            for (int i = 0, high; i < rows; i += high, ai += high == tileRows ? panelA : high * rs, cij += high * ldc) {
                high = shape.height(rows - i, directA);
                int below = Math.min(tileRows, rows - i - high);
                if (farC && below > 0 && (j == 0 || !wholeC)) {
                    Prefetch.forWriting(cij + high * ldc, 4L * (wholeC ? columns : wide), below, ldc);
                }
                if (farA && j + wide == columns) {
                    // the next block's, tile by tile
                    Prefetch.forReading(ai + rows * rs, 4L * k, high, rs);
                }
                if (high == tileRows && wide == tileColumns) {
                    shape.full(depth, ai, rs, cs, bj, bs, cij, ldc, alphaBits, add, tile);
                } else {
                    int back = directA == null ? 0 : shape.edgeRows(high) - high;
                    shape.edge(
                            high, wide, back, col0 + j, inB, depth, ai, rs, cs, bj, bs, cij, ldc, alphaBits, add, tile);
                }
            }
        }
        if (last && epilogue != null) {
            epilogue.apply(c + row0 * ldc + (long) col0 * Float.BYTES, ldc, row0, rows, col0, columns);
        }
    }

    /** k = 0 or alpha = 0: neither A nor B may be read. */
    void withoutProduct(int m, int n) {
        if (beta != 1) {
            scale(0, m, 0, n);
        }
        if (epilogue != null) {
            epilogue.apply(c, ldc, 0, m, 0, n);
        }
    }

    private void scale(int row0, int rows, int col0, int columns) {
        for (int i = row0; i < row0 + rows; i++) {
            long row = c + i * ldc + (long) col0 * Float.BYTES;
            for (int j = 0; j < columns; j++) {
                long at = row + j * 4L & Lanes.ADDRESS;
                ALL.set(F, at, beta == 0 ? 0 : beta * ALL.get(F, at));
            }
        }
    }
}
