package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * The borders of a product as machine code: tiles of fewer rows or columns than those of {@link GemmCode}, with its argument and its
 * sums. Of B only what is within the columns is read, of A only the rows; nothing is asked for ahead.
 */
final class GemmBorderCode {
    /** Rows of one vector at most, of two or three, and of four. */
    private static final int TALLEST = 16, ROWS = 8, ROWS_OF_FOUR = 6;

    private static final int VECTORS = 4;

    /** Where each begins, by rows and vectors. */
    private static final int[][] ENTRIES = new int[TALLEST + 1][VECTORS + 1];

    private static final MachineCode CODE = make();

    private GemmBorderCode() {}

    /** Whether the system gave it memory, too. */
    static boolean works() {
        return CODE != null;
    }

    /** Rows of the tallest border of at most so many. */
    static int rows(int most, int columns) {
        return tallest(most, Math.ceilDiv(columns, Lanes.FLOATS));
    }

    private static int tallest(int most, int vectors) {
        return vectors == 1 && most >= TALLEST ? TALLEST : Math.min(most, vectors < VECTORS ? ROWS : ROWS_OF_FOUR);
    }

    /**
     * Some borders of {@link #rows} rows, one below the other, of a product that {@link GemmCode#prepare} was told.
     *
     * @param next bytes from one's first row of A to the next one's
     * @param columns of C and of B
     */
    static void run(long argument, long a, long next, long b, long c, int rows, int columns, int tiles, boolean add) {
        int entry = ENTRIES[rows][Math.ceilDiv(columns, Lanes.FLOATS)];
        GemmCode.operands(argument, a, b, c, columns, tiles, entry);
        set(argument + GemmCode.NEXT, next);
        set(argument + GemmCode.ADDS, add ? 1 : 0);
        CODE.run(argument, 0, 0, 0, 0, 0);
    }

    /** Only where there is {@link GemmCode}. */
    private static MachineCode make() {
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(GemmCode.ENTRY));
        for (int vectors = 1; vectors <= VECTORS; vectors++) {
            for (int rows = 1; rows <= TALLEST; rows++) {
                if (rows == tallest(rows, vectors)) {
                    ENTRIES[rows][vectors] = code.here();
                    write(code, rows, vectors);
                }
            }
        }
        return code.brief();
    }

    private static void write(VectorAssembler code, int rows, int vectors) {
        GemmCode.writeStart(code);
        int start = code.here();
        GemmCode.writeSums(code, rows, vectors, true);
        code.load(R8, argument(GemmCode.C));
        code.load(RSI, argument(GemmCode.C_ROW));
        code.load(RBP, argument(GemmCode.ADDS));
        int sets = code.jumpIfZero(RBP);
        writeStores(code, rows, vectors, GemmCode.Storing.ADD);
        int stored = code.jump();
        code.land(sets);
        writeStores(code, rows, vectors, GemmCode.Storing.SET);
        code.land(stored);
        code.store(R8, argument(GemmCode.C));
        GemmCode.writeNext(code, start, false);
    }

    private static void writeStores(VectorAssembler code, int rows, int vectors, GemmCode.Storing storing) {
        for (int i = 0; i < rows; i++) {
            for (int v = 0; v < vectors; v++) {
                GemmCode.writeStore(code, i * vectors + v, v * Lanes.BYTES, v + 1 < vectors ? 0 : 1, storing);
            }
            code.add(R8, RSI);
        }
    }
}
