package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * Sums of rows of floats, element by element, as machine code, for x86-64 with AVX-512: those of {@link ReduceColumns} and {@link Sums},
 * in their order.
 */
final class SumCode {
    /** Rows that are added as a tree. */
    private static final int EIGHT = 8;
    /** Vectors side by side, of rows that are added in order; as many chains has a partial vector. */
    private static final int FOUR = 4;
    /**
     * Elements of a call at most, and rows of a partial vector, a multiple of four, each of which may be in a page of its own: some
     * microseconds, see {@link MachineCode#brief}.
     */
    private static final int MOST = 1 << 15, MOST_ROWS = 1 << 10;
    /** Elements below which a call would cost more than the sums. */
    private static final int FEW = 512;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int X = 0, STRIDE = 8, Y = 16, FIRST = 24, STEPS = 32, VECTORS = 40, REST = 48, LIVE = 56;

    private static final int ENTRY = 64, ONWARD = 72, SUMS = 80, ARGUMENT = SUMS + FOUR * Lanes.BYTES;
    private static int trees, orders, chains;
    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private SumCode() {}

    /** Whether {@link #rows} is there, and worth a call. */
    static boolean takes(int rows, int elements) {
        return CODE != null && (long) rows * elements >= FEW;
    }

    /** Whether {@link #columns} is there: no slower than the loops in Java for a few rows of a partial vector. */
    static boolean takesColumns() {
        return CODE != null;
    }

    /**
     * y = first + x[0] + x[1] ..., in this order.
     *
     * @param stride bytes from row to row of x
     * @param first a row, maybe y or one of x
     * @param rows of x
     */
    static void rows(long first, long x, long stride, int rows, long y, int elements) {
        long argument = ARGUMENTS.address(ARGUMENT);
        set(argument + STRIDE, stride);
        set(argument + STEPS, rows);
        set(argument + ENTRY, orders);
        int group = FOUR * Lanes.FLOATS, most = Math.max(group, MOST / (rows + 1) & -group);
        for (int i = 0, some; i < elements; i += some) {
            some = Math.min(most, elements - i);
            set(argument + X, x + 4L * i);
            set(argument + Y, y + 4L * i);
            set(argument + FIRST, first + 4L * i);
            set(argument + VECTORS, some / group);
            set(argument + REST, some % group);
            set(argument + LIVE, (1L << some % group) - 1);
            CODE.run(argument, 0, 0, 0, 0, 0);
        }
    }

    /**
     * y = the sums of the columns of x as {@link ReduceColumns} has them: y, which is 0, and eight rows at a time added as a tree, the last
     * rows in order; of the last columns, less than a vector, four chains of rows.
     *
     * @param stride bytes from row to row
     * @param columns some thousand at most: eight rows of them are a call at least
     */
    static void columns(long x, long stride, int rows, int columns, long y) {
        long argument = ARGUMENTS.address(ARGUMENT);
        int whole = columns & -Lanes.FLOATS, trunk = rows & -EIGHT;
        if (whole > 0) {
            int most = Math.max(EIGHT, MOST / whole & -EIGHT);
            set(argument + STRIDE, stride);
            set(argument + Y, y);
            set(argument + VECTORS, whole / Lanes.FLOATS);
            set(argument + ENTRY, trees);
            for (int row = 0, some; row < trunk; row += some) {
                some = Math.min(most, trunk - row);
                set(argument + X, x + row * stride);
                set(argument + STEPS, some / EIGHT);
                CODE.run(argument, 0, 0, 0, 0, 0);
            }
            if (trunk < rows) {
                rows(y, x + trunk * stride, stride, rows - trunk, y, whole);
            }
        }
        if (whole < columns) {
            set(argument + STRIDE, stride);
            set(argument + Y, y + 4L * whole);
            set(argument + LIVE, (1L << columns - whole) - 1);
            set(argument + ENTRY, chains);
            for (int row = 0, some; row < rows; row += some) {
                some = Math.min(MOST_ROWS, rows - row);
                set(argument + X, x + row * stride + 4L * whole);
                set(argument + STEPS, some / FOUR);
                set(argument + REST, some % FOUR);
                set(argument + ONWARD, row);
                CODE.run(argument, 0, 0, 0, 0, 0);
            }
        }
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        trees = code.here();
        writeTrees(code);
        orders = code.here();
        writeOrders(code);
        chains = code.here();
        writeChains(code);
        return code.brief();
    }

    /** Eight rows at a time, from rax and rbx on, onto y at rdx. */
    private static void writeTrees(VectorAssembler code) {
        writeStart(code);
        code.load(R8, argument(X));
        int group = code.here();
        code.lea(RAX, Address.of(R8, 0));
        code.lea(RBX, Address.of(RAX, R10, 4));
        code.load(RDX, argument(Y));
        code.loop(argument(VECTORS), () -> {
            for (int pair = 0; pair < EIGHT / 2; pair++) {
                int base = pair < 2 ? RAX : RBX, even = pair % 2 * 2;
                code.loadVector(pair, row(base, even));
                code.addVectors(pair, pair, row(base, even + 1), 0);
            }
            code.addVectors(0, 0, 1);
            code.addVectors(2, 2, 3);
            code.addVectors(0, 0, 2);
            code.loadVector(4, Address.of(RDX, 0));
            code.addVectors(4, 4, 0);
            code.storeVector(4, Address.of(RDX, 0), 0);
            for (int pointer : new int[] {RAX, RBX, RDX}) {
                code.lea(pointer, Address.of(pointer, Lanes.BYTES));
            }
        });
        code.lea(R8, Address.of(R8, R10, 8));
        code.decrement(argument(STEPS));
        code.jumpUnlessZero(group);
        writeEnd(code);
    }

    /** A row after the other, four vectors at a time. */
    private static void writeOrders(VectorAssembler code) {
        writeStart(code);
        code.load(R8, argument(X));
        code.load(RSI, argument(FIRST));
        code.load(RDX, argument(Y));
        code.load(RCX, argument(VECTORS));
        int none = code.jumpIfZero(RCX), group = code.here();
        writeFour(code, false);
        for (int pointer : new int[] {R8, RSI, RDX}) {
            code.lea(pointer, Address.of(pointer, FOUR * Lanes.BYTES));
        }
        code.decrement(RCX);
        code.jumpUnlessZero(group);
        code.land(none);
        code.load(RCX, argument(REST));
        int whole = code.jumpIfZero(RCX);
        for (int v = 0; v < FOUR; v++) {
            code.loadMask(mask(v), argument(LIVE + v * Lanes.FLOATS / 8));
        }
        writeFour(code, true);
        code.land(whole);
        writeEnd(code);
    }

    private static void writeFour(VectorAssembler code, boolean masked) {
        for (int v = 0; v < FOUR; v++) {
            Address at = Address.of(RSI, v * Lanes.BYTES);
            if (masked) {
                code.loadOrZero(v, at, mask(v));
            } else {
                code.loadVector(v, at);
            }
        }
        code.lea(RAX, Address.of(R8, 0));
        code.loop(argument(STEPS), () -> {
            for (int v = 0; v < FOUR; v++) {
                code.addVectors(v, v, Address.of(RAX, v * Lanes.BYTES), masked ? mask(v) : 0);
            }
            code.add(RAX, R10);
        });
        for (int v = 0; v < FOUR; v++) {
            code.storeVector(v, Address.of(RDX, v * Lanes.BYTES), masked ? mask(v) : 0);
        }
    }

    /**
     * A partial vector of each row, by turns to four sums, which stay in the argument for the next call; the last rows to the first of
     * them.
     */
    private static void writeChains(VectorAssembler code) {
        writeStart(code);
        code.load(RAX, argument(X));
        code.load(RDX, argument(Y));
        code.loadMask(mask(0), argument(LIVE));
        for (int v = 0; v < FOUR; v++) {
            code.zero(v);
        }
        code.unlessZero(argument(ONWARD), () -> {
            for (int v = 0; v < FOUR; v++) {
                code.loadVector(v, argument(SUMS + v * Lanes.BYTES));
            }
        });
        code.loop(argument(STEPS), () -> {
            for (int v = 0; v < FOUR; v++) {
                code.addVectors(v, v, row(RAX, v), mask(0));
            }
            code.lea(RAX, Address.of(RAX, R10, 4));
        });
        code.loop(argument(REST), () -> {
            code.addVectors(0, 0, Address.of(RAX, 0), mask(0));
            code.add(RAX, R10);
        });
        for (int v = 0; v < FOUR; v++) {
            code.storeVector(v, argument(SUMS + v * Lanes.BYTES), 0);
        }
        code.addVectors(0, 0, 1);
        code.addVectors(2, 2, 3);
        code.addVectors(0, 0, 2);
        code.storeVector(0, Address.of(RDX, 0), mask(0));
        writeEnd(code);
    }

    /** The stride to r10, three times the stride to r11. */
    private static void writeStart(VectorAssembler code) {
        code.push(RBX, RBP);
        code.load(R10, argument(STRIDE));
        code.lea(R11, Address.of(R10, R10, 2));
    }

    private static void writeEnd(VectorAssembler code) {
        code.pop(RBP, RBX);
        code.end();
    }

    private static Address row(int base, int rows) {
        return rows == 0 ? Address.of(base, 0) : rows == 3 ? Address.of(base, R11, 1) : Address.of(base, R10, rows);
    }

    private static int mask(int vector) {
        return 1 + vector;
    }
}
