package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import io.quern.backend.vector.VectorAssembler.Address;

/** Writes the code of {@link DepthwiseCode}, and knows where its numbers are. */
final class DepthwiseAssembler {
    private static final int SIDE = ConvDepthwise.SIDE, TAPS = ConvDepthwise.TAPS;

    /** Where in the argument the numbers of a call are, in bytes. */
    static final int COLUMN = 0, TABLE = 8, RESULT = 16, PIXEL = 24, ROWS = 32, TURNS = 40, SINGLES = 48;

    static final int BEFORE = 56, BEHIND = 64, LAST = 72, VECTORS = 80, BIAS = 88, FLOOR = 96, ARGUMENT = 104;
    /** Of a row of sources: where its first two columns are, and the one from which on they are read in turn. */
    static final int ENTRY = 24;

    /** Vector registers: taps or their sums from 0 on, then these. */
    static final int WINDOW = 9, PIXEL_OF_DY = 18;

    static final int RESULTS = 12, SHIFT = 15, LOW = 16;
    static final int[] X = {RAX, RBX, RCX};

    private DepthwiseAssembler() {}

    /** Null on other machines and systems. */
    static MachineCode make(int stride, boolean gradient) {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP);
        code.load(RSI, argument(VECTORS));
        for (int tap = 0; tap < TAPS; tap++) {
            code.loadVector(tap, Address.of(RSI, tap * Lanes.BYTES));
        }
        if (!gradient) {
            code.load(RSI, argument(BIAS));
            code.loadVector(SHIFT, Address.of(RSI, 0));
            code.broadcast(LOW, argument(FLOOR));
        }
        code.load(RSI, argument(RESULT));
        code.load(R8, argument(TABLE));
        code.load(R9, argument(COLUMN));
        code.load(R10, argument(PIXEL));
        int row = code.here();
        for (int i = 0; i < SIDE; i++) {
            code.load(X[i], Address.of(R8, ENTRY * i));
            code.add(X[i], R9);
        }
        if (gradient && stride == 1) {
            writeGradient(code);
        } else if (gradient) {
            writeStridedGradient(code);
        } else if (stride == 1) {
            writeCorrelation(code);
        } else {
            writeStridedCorrelation(code);
        }
        code.lea(R8, Address.of(R8, ENTRY * stride));
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        if (gradient) {
            code.load(RSI, argument(VECTORS));
            for (int tap = 0; tap < TAPS; tap++) {
                code.storeVector(tap, Address.of(RSI, tap * Lanes.BYTES), 0);
            }
        }
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }

    // the gradient: three rows of sources in rax, rbx and rcx, behind them r11; dy in rsi

    /** Column {@code column} of the window in row {@code row}. */
    private static int window(int row, int column) {
        return WINDOW + SIDE * row + column % SIDE;
    }

    /** The columns before the first that is read in turn. */
    private static void writeStart(VectorAssembler code, int columns) {
        for (int i = 0; i < SIDE; i++) {
            for (int column = 0; column < columns; column++) {
                code.load(R11, Address.of(R8, ENTRY * i + 8 * (1 + column)));
                code.loadVector(window(i, column), Address.of(R11, R9, 1));
            }
        }
        code.load(R11, argument(BEFORE));
    }

    private static void writeGradient(VectorAssembler code) {
        writeStart(code, 2);
        writeLoop(code, TURNS, () -> {
            for (int i = 0; i < SIDE; i++) {
                writePixel(code, i);
            }
        });
        writeLoop(code, SINGLES, () -> {
            writePixel(code, 0);
            for (int i = 0; i < SIDE; i++) {
                code.moveVector(window(i, 0), window(i, 1));
                code.moveVector(window(i, 1), window(i, 2));
            }
        });
        writeLoop(code, BEHIND, () -> {
            code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
            code.add(RSI, R10);
            for (int i = 0; i < SIDE; i++) {
                code.multiplyAdd(SIDE * i, PIXEL_OF_DY, window(i, 0));
                code.multiplyAdd(SIDE * i + 1, PIXEL_OF_DY, window(i, 1));
                code.moveVector(window(i, 0), window(i, 1));
                code.zero(window(i, 1));
            }
        });
    }

    /** A pixel whose taps meet columns {@code column} .. of the window; the last is read. */
    private static void writePixel(VectorAssembler code, int column) {
        code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
        code.prefetchIntoFirst(Address.of(RSI, Lanes.BYTES));
        code.prefetchIntoFirst(new Address(X[SIDE - 1], R11, 1, Lanes.BYTES));
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(window(i, column + 2), Address.of(X[i], R11, 1));
            for (int j = 0; j < SIDE; j++) {
                code.multiplyAdd(SIDE * i + j, PIXEL_OF_DY, window(i, column + j));
            }
        }
        code.add(R11, R10);
        code.add(RSI, R10);
    }

    private static void writeStridedGradient(VectorAssembler code) {
        writeStart(code, 1);
        writeLoop(code, TURNS, () -> {
            writePair(code, 0, 2);
            writePair(code, 2, 0);
        });
        writeLoop(code, SINGLES, () -> {
            writePair(code, 0, 2);
            for (int i = 0; i < SIDE; i++) {
                code.moveVector(window(i, 0), window(i, 2));
            }
        });
        writeLoop(code, BEHIND, () -> {
            code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
            code.add(RSI, R10);
            for (int i = 0; i < SIDE; i++) {
                code.multiplyAdd(SIDE * i, PIXEL_OF_DY, window(i, 0));
                code.multiplyAddVector(SIDE * i + 1, PIXEL_OF_DY, Address.of(X[i], R11, 1));
            }
        });
    }

    /** A pixel whose taps meet the column in {@code left}, one that is read for it alone, and one that is read to {@code right}. */
    private static void writePair(VectorAssembler code, int left, int right) {
        code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
        code.prefetchIntoFirst(Address.of(RSI, Lanes.BYTES));
        for (int i = 0; i < SIDE; i++) {
            code.multiplyAdd(SIDE * i, PIXEL_OF_DY, window(i, left));
            code.multiplyAddVector(SIDE * i + 1, PIXEL_OF_DY, Address.of(X[i], R11, 1));
        }
        askForSources(code, 2);
        code.add(R11, R10);
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(window(i, right), Address.of(X[i], R11, 1));
            code.multiplyAdd(SIDE * i + 2, PIXEL_OF_DY, window(i, right));
        }
        askForSources(code, 2);
        code.add(R11, R10);
        code.add(RSI, R10);
    }

    /** The next vector of the last rows, which no row of results before has met. */
    private static void askForSources(VectorAssembler code, int rows) {
        for (int i = SIDE - rows; i < SIDE; i++) {
            code.prefetchIntoFirst(new Address(X[i], R11, 1, Lanes.BYTES));
        }
    }

    // the correlation: the same, with results in rsi; a result is one chain, column after column of its taps

    /** One of the results that are begun: the next to end is the first. */
    private static int result(int number) {
        return RESULTS + number % SIDE;
    }

    private static void writeCorrelation(VectorAssembler code) {
        code.clear(R11);
        code.moveVector(result(0), SHIFT);
        code.moveVector(result(1), SHIFT);
        writeLoop(code, BEFORE, () -> {
            writeColumn(code, 0, false);
            moveResults(code);
        });
        writeLoop(code, TURNS, () -> {
            for (int i = 0; i < SIDE; i++) {
                writeColumn(code, i, true);
            }
        });
        writeLoop(code, SINGLES, () -> {
            writeColumn(code, 0, true);
            moveResults(code);
        });
        writeLoop(code, BEHIND, () -> writeResult(code, result(0)));
        writeLoop(code, LAST, () -> writeResult(code, result(1)));
    }

    private static void moveResults(VectorAssembler code) {
        code.moveVector(result(0), result(1));
        code.moveVector(result(1), result(2));
    }

    /** A column of sources: the end of a result, if there is one, the middle of the next and the start of the one behind. */
    private static void writeColumn(VectorAssembler code, int number, boolean ends) {
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(WINDOW + i, Address.of(X[i], R11, 1));
        }
        askForSources(code, 1);
        code.moveVector(result(number + 2), SHIFT);
        for (int i = 0; i < SIDE; i++) {
            if (ends) {
                code.multiplyAdd(result(number), WINDOW + i, SIDE * i + 2);
            }
            code.multiplyAdd(result(number + 1), WINDOW + i, SIDE * i + 1);
            code.multiplyAdd(result(number + 2), WINDOW + i, SIDE * i);
        }
        if (ends) {
            writeResult(code, result(number));
        }
        code.add(R11, R10);
    }

    private static void writeResult(VectorAssembler code, int result) {
        code.greater(result, LOW, result);
        code.storeVector(result, Address.of(RSI, 0), 0);
        code.prefetchToWrite(Address.of(RSI, Lanes.BYTES));
        code.add(RSI, R10);
    }

    private static void writeStridedCorrelation(VectorAssembler code) {
        code.clear(R11);
        code.moveVector(result(0), SHIFT);
        writeLoop(code, BEFORE, () -> {
            for (int i = 0; i < SIDE; i++) {
                code.multiplyAddVector(result(0), SIDE * i, Address.of(X[i], R11, 1));
            }
            askForSources(code, 2);
            code.add(R11, R10);
        });
        writeLoop(code, TURNS, () -> {
            writeColumns(code, 0, 1);
            writeColumns(code, 1, 0);
        });
        writeLoop(code, SINGLES, () -> {
            writeColumns(code, 0, 1);
            code.moveVector(result(0), result(1));
        });
        writeLoop(code, BEHIND, () -> {
            writeMiddle(code, 0);
            writeResult(code, result(0));
        });
    }

    /** Two columns of sources: the middle and the end of a result, and the start of the next. */
    private static void writeColumns(VectorAssembler code, int number, int next) {
        writeMiddle(code, number);
        code.add(R11, R10);
        code.moveVector(result(next), SHIFT);
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(WINDOW + i, Address.of(X[i], R11, 1));
            code.multiplyAdd(result(number), WINDOW + i, SIDE * i + 2);
            code.multiplyAdd(result(next), WINDOW + i, SIDE * i);
        }
        askForSources(code, 2);
        code.add(R11, R10);
        writeResult(code, result(number));
    }

    private static void writeMiddle(VectorAssembler code, int number) {
        for (int i = 0; i < SIDE; i++) {
            code.multiplyAddVector(result(number), SIDE * i + 1, Address.of(X[i], R11, 1));
        }
        askForSources(code, 2);
    }

    /** As often as the argument says, or never. */
    private static void writeLoop(VectorAssembler code, int count, Runnable body) {
        code.load(RBP, argument(count));
        int behind = code.jumpIfZero(RBP), start = code.here();
        body.run();
        code.decrement(RBP);
        code.jumpUnlessZero(start);
        code.land(behind);
    }
}
