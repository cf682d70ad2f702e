package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;

/**
 * One block of C for one k block: the loop over tiles. Operands come as packed panels, or, where {@code directA} or
 * {@code directB} is set, in place with only the short last panel packed.
 */
record GemmBlock(
        int k, float alpha, GemmPanels directA, GemmPanels directB, float beta, long c, long ldc, Epilogue epilogue) {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int ROWS = GemmTile.ROWS, COLUMNS = GemmTile.COLUMNS;
    /** Strides of packed panels, in bytes. */
    private static final long STEP_A = ROWS * Float.BYTES, STEP_B = COLUMNS * Float.BYTES;

    /** A panel of B stays in L1 while the panels of A pass by from L2. */
    void multiply(int row0, int rows, int col0, int columns, int p, int depth, long packedA, long packedB, long tile) {
        if (p == 0 && beta != 0 && beta != 1) {
            scale(row0, rows, col0, columns);
        }
        boolean add = p > 0 || beta != 0, last = p + depth == k;
        int alphaBits = Float.floatToRawIntBits(alpha);
        long firstA = packedA,
                panelA = STEP_A * depth,
                edgeA = packedA + rows / ROWS * panelA,
                rs = Float.BYTES,
                cs = STEP_A;
        if (directA != null) {
            rs = directA.along();
            cs = directA.deep();
            firstA = directA.base() + row0 * rs + p * cs;
            panelA = ROWS * rs;
            edgeA = packedA;
        }
        long bj = packedB, panelB = STEP_B * depth, edgeB = packedB + columns / COLUMNS * panelB, bs = STEP_B;
        if (directB != null) {
            bs = directB.deep();
            bj = directB.base() + (long) col0 * Float.BYTES + p * bs;
            panelB = STEP_B;
            edgeB = packedB;
        }
        for (int j = 0; j < columns; j += COLUMNS, bj += panelB) {
            int wide = Math.min(COLUMNS, columns - j);
            long top = c + row0 * ldc + (long) (col0 + j) * Float.BYTES, cij = top, ai = firstA;
            int i = 0;
            if (wide == COLUMNS) {
                for (; i + ROWS <= rows; i += ROWS, ai += panelA, cij += ROWS * ldc) {
                    GemmTile.full(depth, ai, rs, cs, bj, bs, cij, ldc, alphaBits, add);
                }
            } else {
                bj = edgeB;
                bs = STEP_B;
                for (; i + ROWS <= rows; i += ROWS, ai += panelA, cij += ROWS * ldc) {
                    GemmTile.edge(ROWS, wide, depth, ai, rs, cs, bj, bs, cij, ldc, alphaBits, add, tile);
                }
            }
            if (i < rows) {
                GemmTile.edge(
                        rows - i, wide, depth, edgeA, Float.BYTES, STEP_A, bj, bs, cij, ldc, alphaBits, add, tile);
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
