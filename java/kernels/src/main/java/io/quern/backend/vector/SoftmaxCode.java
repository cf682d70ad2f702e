package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.ScalarMath.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * Softmax of rows as machine code, for x86-64 with AVX-512, with the bits of {@link SoftmaxRow}: exponentials and their sum beside the
 * maximum of the next row, then one pass that scales them, which writes whole cache lines, and past the caches where none would keep
 * them. Rows that fit a vector stay in a register from the one to the other.
 *
 * <p>rsi and rdx are a row of x and the next one, rcx of y, r8 the exponentials, r9 where sums go, rax an offset, rbp what is counted.
 */
final class SoftmaxCode {
    /** Elements of a call: some microseconds, see {@link MachineCode#brief}; of a row at most. */
    private static final int MOST = 1 << 13, LONGEST = 1 << 14;
    /** Bytes from what is read of the next row to what is asked for. */
    private static final int AHEAD = 8192;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int X = 0,
            Y = 8,
            E = 16,
            STEP = 24,
            ROWS = 32,
            VECTORS = 40,
            TAIL = 48,
            LENGTH = 56,
            SUMS = 64;

    private static final int SUM_STEP = 72, BEHIND = 80, UNKNOWN = 88, MAX = 96, UNUSED = 104, CONSTANTS = 112;
    private static final float[] VALUES = {
        LOG2_E, ROUND, -LN2_HIGH, -LN2_LOW, E6, E5, E4, E3, E2, 1, EXP_ZERO, Float.NEGATIVE_INFINITY
    };
    private static final int ARGUMENT = CONSTANTS + 4 * VALUES.length;

    /** Vector registers. */
    private static final int TOP = 8, SUM = 9, ROW_MAX = 10, MINUS_MAX = 11, ENDING = 12, ZERO = 13, FACTOR = 14;

    private static final int CONSTANT = 16;
    private static final int LOG2 = CONSTANT, ROUNDING = CONSTANT + 1, HIGH = CONSTANT + 2, LOW = CONSTANT + 3;
    private static final int FACTOR_6 = CONSTANT + 4, ONE = CONSTANT + 9, LEAST = CONSTANT + 10, LOWEST = CONSTANT + 11;
    /** Masks: the row's last lanes, those where the exponential is not 0, the first and the last lanes of y. */
    private static final int LAST = 1, ABOVE = 2, EDGE = 3;

    private static final LazyCode NARROW = new LazyCode(() -> makeNarrow());
    private static final LazyCode STORED = new LazyCode(() -> makeWide(false));
    private static final LazyCode STREAMED = new LazyCode(() -> makeWide(true));

    private static final Scratch ARGUMENTS = new ThreadScratch();

    private SoftmaxCode() {}

    /** Whether there is such code for rows of so many elements. */
    static boolean takes(int n) {
        return n > 0 && n <= LONGEST && NARROW.get() != null && STORED.get() != null && STREAMED.get() != null;
    }

    /**
     * Rows that follow each other without gaps.
     *
     * @param past whether y passes by the caches
     * @param sums where for each row the sum of its exponentials and its maximum go, in turn, or 0
     * @param scratch of a row
     */
    static void run(long x, long y, int rows, int n, boolean past, long sums, long scratch) {
        long argument = ARGUMENTS.address(ARGUMENT), length = 4L * n;
        boolean narrow = n <= Lanes.FLOATS;
        boolean inPlace = !past && (n > SoftmaxRow.LONG || (y | length) % Lanes.LINE == 0);
        for (int i = 0; i < VALUES.length; i++) {
            setInt(argument + CONSTANTS + 4L * i, Float.floatToRawIntBits(VALUES[i]));
        }
        set(argument + STEP, inPlace ? length : 0);
        set(argument + VECTORS, n / Lanes.FLOATS);
        set(argument + TAIL, (1L << (narrow ? n : n % Lanes.FLOATS)) - 1);
        set(argument + LENGTH, length);
        set(argument + SUM_STEP, sums == 0 ? 0 : 8);
        set(argument + UNKNOWN, 1);
        int most = Math.max(1, MOST / n);
        MachineCode code = (narrow ? NARROW : past ? STREAMED : STORED).get();
        for (int from = 0; from < rows; from += most) {
            int some = Math.min(most, rows - from);
            long row = x + from * length;
            set(argument + X, row);
            set(argument + Y, y + from * length);
            set(argument + E, inPlace ? y + from * length : scratch);
            set(argument + ROWS, some);
            set(argument + SUMS, sums == 0 ? argument + UNUSED : sums + 8L * from);
            set(argument + BEHIND, from + some < rows ? row + some * length : row);
            code.run(argument, 0, 0, 0, 0, 0);
            set(argument + UNKNOWN, 0);
        }
    }

    private static MachineCode makeNarrow() {
        VectorAssembler code = new VectorAssembler();
        int row = begin(code, false);
        code.moveVector(TOP, LOWEST);
        code.loadWhere(TOP, Address.of(RDX, 0), LAST);
        code.greater(TOP, TOP, LOWEST);
        code.loadOrZero(0, Address.of(RSI, 0), LAST);
        code.addVectors(0, 0, MINUS_MAX);
        writeExp(code);
        code.moveOrZero(SUM, 3, LAST);
        code.sumLanes(SUM, 0);
        factor(code);
        code.multiply(3, 3, FACTOR);
        code.storeVector(3, Address.of(RCX, 0), LAST);
        return end(code, row, false);
    }

    private static MachineCode makeWide(boolean past) {
        VectorAssembler code = new VectorAssembler();
        int row = begin(code, true);
        code.moveVector(TOP, LOWEST);
        code.zero(SUM);
        code.zero(ENDING);
        code.clear(RAX);
        code.loop(argument(VECTORS), () -> {
            code.prefetchIntoSecond(new Address(RDX, RAX, 1, AHEAD));
            code.loadVector(5, Address.of(RDX, RAX, 1));
            code.greater(TOP, 5, TOP);
            code.addVectors(0, MINUS_MAX, Address.of(RSI, RAX, 1), 0);
            writeExp(code);
            code.storeVector(3, Address.of(R8, RAX, 1), 0);
            code.addVectors(SUM, SUM, 3);
            code.lea(RAX, Address.of(RAX, Lanes.BYTES));
        });
        code.unlessZero(argument(TAIL), () -> {
            code.moveVector(5, LOWEST);
            code.loadWhere(5, Address.of(RDX, RAX, 1), LAST);
            code.greater(TOP, 5, TOP);
            code.loadOrZero(0, Address.of(RSI, RAX, 1), LAST);
            code.addVectors(0, 0, MINUS_MAX);
            writeExp(code);
            code.storeVector(3, Address.of(R8, RAX, 1), LAST);
            code.moveOrZero(ENDING, 3, LAST);
        });
        code.sumLanes(SUM, 0);
        code.sumLanes(ENDING, 0);
        code.addVectors(SUM, SUM, ENDING);
        factor(code);
        WholeLines.write(code, RCX, argument(LENGTH), EDGE, mask -> writeScaled(code, mask, past));
        return end(code, row, past);
    }

    /** Loads what all rows need, and begins a row; returns where. */
    private static int begin(VectorAssembler code, boolean wide) {
        code.push(RBX, RBP);
        code.load(RSI, argument(X));
        code.load(RCX, argument(Y));
        code.load(R8, argument(E));
        code.load(R9, argument(SUMS));
        code.load(RBX, argument(ROWS));
        code.loadMask(LAST, argument(TAIL));
        for (int i = 0; i < VALUES.length; i++) {
            code.broadcast(CONSTANT + i, argument(CONSTANTS + 4 * i));
        }
        code.zero(ZERO);
        code.broadcast(ROW_MAX, argument(MAX));
        code.unlessZero(argument(UNKNOWN), () -> {
            code.moveVector(TOP, LOWEST);
            code.clear(RAX);
            if (wide) {
                code.loop(argument(VECTORS), () -> {
                    code.loadVector(5, Address.of(RSI, RAX, 1));
                    code.greater(TOP, 5, TOP);
                    code.lea(RAX, Address.of(RAX, Lanes.BYTES));
                });
            }
            code.moveVector(5, LOWEST);
            code.loadWhere(5, Address.of(RSI, RAX, 1), LAST);
            code.greater(TOP, 5, TOP);
            code.largestLane(TOP, 0);
            code.moveVector(ROW_MAX, TOP);
        });
        int row = code.here();
        // the row whose maximum is taken beside this one
        code.load(RDX, argument(BEHIND));
        code.decrement(RBX);
        int last = code.jumpIfZero(RBX);
        code.lea(RDX, Address.of(RSI, 0));
        code.add(RDX, argument(LENGTH));
        code.land(last);
        code.subtractVectors(MINUS_MAX, ZERO, ROW_MAX);
        return row;
    }

    /** Goes on to the next row, or ends. */
    private static MachineCode end(VectorAssembler code, int row, boolean past) {
        code.largestLane(TOP, 0);
        code.moveVector(ROW_MAX, TOP);
        code.lea(RSI, Address.of(RDX, 0));
        code.add(RCX, argument(LENGTH));
        code.add(R8, argument(STEP));
        code.add(R9, argument(SUM_STEP));
        code.jumpUnlessZero(RBX, row);
        code.storeElement(ROW_MAX, argument(MAX));
        if (past) {
            code.fence();
        }
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }

    private static void factor(VectorAssembler code) {
        code.storeElement(SUM, Address.of(R9, 0));
        code.storeElement(ROW_MAX, Address.of(R9, Float.BYTES));
        code.divide(FACTOR, ONE, SUM);
    }

    /** Register 3 = e^x of register 0: see {@link VectorMath#exp}. */
    private static void writeExp(VectorAssembler code) {
        int x = 0, n = 1, power = 2, p = 3, square = 4;
        code.compareNotLess(ABOVE, x, LEAST);
        code.moveVector(n, x);
        code.multiplyThenAdd(n, LOG2, ROUNDING);
        code.shiftIntsLeft(power, n, 23);
        code.addInts(power, power, ONE);
        code.subtractVectors(n, n, ROUNDING);
        code.multiplyAdd(x, n, HIGH);
        code.multiplyAdd(x, n, LOW);
        code.moveVector(p, FACTOR_6);
        for (int i = 1; i <= 4; i++) {
            code.multiplyThenAdd(p, x, FACTOR_6 + i);
        }
        code.multiply(square, x, x);
        code.multiplyThenAdd(p, square, x);
        code.multiplyThenAddOrZero(p, power, power, ABOVE);
    }

    /** A vector of y: the factor times the exponentials. */
    private static void writeScaled(VectorAssembler code, int mask, boolean past) {
        Address from = Address.of(R8, RAX, 1), to = Address.of(RCX, RAX, 1);
        if (mask != 0) {
            code.loadOrZero(0, from, mask);
        } else {
            code.loadVector(0, from);
        }
        code.multiply(0, 0, FACTOR);
        WholeLines.store(code, 0, to, mask, past);
    }
}
