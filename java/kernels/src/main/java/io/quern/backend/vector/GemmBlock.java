package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;

/**
 * One block of C for one k block: the loop over its panels of columns. Operands come as packed panels, or, where {@code directA} or
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
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /**
     * A panel of B stays in L1 or L2 while the panels of A pass by from L2.
     *
     * @param next what comes after this block from memory, or null
     */
    void multiply(
            int row0,
            int rows,
            int col0,
            int columns,
            int p,
            int depth,
            long packedA,
            long packedB,
            long scratch,
            GemmSweep.Ahead next) {
        if (p == 0 && beta != 0 && beta != 1) {
            scale(row0, rows, col0, columns);
        }
        boolean add = p > 0 || beta != 0, last = p + depth == k;
        int tileRows = shape.rows, tileColumns = shape.columns;
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
        GemmSweep sweep = new GemmSweep(this, rows, columns, depth, add, rs, cs, panelA, bs, scratch, next);
        GemmCode code = GemmCode.of(shape);
        if (code != null) {
            sweep.prepare();
        }
        long corner = c + row0 * ldc + (long) col0 * Float.BYTES;
        for (int j = 0, wide; j < columns; j += wide, bj += panelB) {
            wide = shape.width(columns - j, directB != null);
            if (code == null) {
                sweep.plain(firstA, bj, corner, j, wide, col0);
                continue;
            }
            int done = sweep.coded(code, firstA, bj, corner, j, wide);
            if (done < rows) {
                sweep.borders(done, firstA, bj, corner, j, wide);
            }
        }
        if (last && epilogue != null) {
            epilogue.apply(corner, ldc, row0, rows, col0, columns);
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
