package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/** Writes the code of {@link DepthwiseCode}, and knows where its numbers are. */
final class DepthwiseAssembler {
    private static final int SIDE = ConvDepthwise.SIDE, TAPS = ConvDepthwise.TAPS;

    /** Where in the argument the numbers of a call are, in bytes. */
    static final int COLUMN = 0, TABLE = 8, RESULT = 16, PIXEL = 24, ROWS = 32, TURNS = 40, SINGLES = 48;

    static final int BEFORE = 56,
            BEHIND = 64,
            LAST = 72,
            VECTORS = 80,
            BIAS = 88,
            FLOOR = 96,
            ENTRY = 104,
            SOURCES = 112,
            SIGNAL = 120,
            ARGUMENT = 128;
    /** Bytes of a row of sources: where its first two columns are, and the one from which on they are read in turn. */
    static final int ROW = 24;

    /** Vector registers: taps or their sums from 0 on, then these. */
    private static final int WINDOW = 9, PIXEL_OF_DY = 18;

    private static final int RESULTS = 12, SHIFT = 15, LOW = 16;
    private static final int[] X = {RAX, RBX, RCX};

    /** What the code does. It asks for the next vector of channels meanwhile, or for lines one behind the other. */
    enum Loop {
        GRADIENT(true, false, false),
        GRADIENT_ON_THE_WAY(true, true, false),
        CORRELATION(false, false, false),
        CORRELATION_ON_THE_WAY(false, true, false),
        CORRELATION_PAST(false, true, true);
        private final boolean gradient, ahead, past;

        /**
         * @param ahead whether the lines asked for are those from r12 and r13 on
         * @param past whether results, whole lines then, pass by the caches
         */
        Loop(boolean gradient, boolean ahead, boolean past) {
            this.gradient = gradient;
            this.ahead = ahead;
            this.past = past;
        }
    }

    private static final int[] ENTRIES = new int[2 * Loop.values().length];

    private final VectorAssembler code;
    private final int stride;
    private final Loop loop;

    private DepthwiseAssembler(VectorAssembler code, int stride, Loop loop) {
        this.code = code;
        this.stride = stride;
        this.loop = loop;
    }

    /** All loops in one, since a call of what is constant to the compiler takes a fraction of the time of another; null on other machines and systems. */
    static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        for (Loop loop : Loop.values()) {
            for (int stride = 1; stride <= 2; stride++) {
                ENTRIES[entry(stride, loop)] = code.here();
                new DepthwiseAssembler(code, stride, loop).write();
            }
        }
        return code.brief();
    }

    private static int entry(int stride, Loop loop) {
        return 2 * loop.ordinal() + stride - 1;
    }

    /** What to set {@link #ENTRY} to. */
    static int place(int stride, Loop loop) {
        return ENTRIES[entry(stride, loop)];
    }

    private void write() {
        code.push(RBX, RBP, R12, R13);
        code.load(RSI, argument(VECTORS));
        for (int tap = 0; tap < TAPS; tap++) {
            code.loadVector(tap, Address.of(RSI, tap * Lanes.BYTES));
        }
        if (!loop.gradient) {
            code.load(RSI, argument(BIAS));
            code.loadVector(SHIFT, Address.of(RSI, 0));
            code.broadcast(LOW, argument(FLOOR));
        }
        code.load(RSI, argument(RESULT));
        code.load(R8, argument(TABLE));
        code.load(R9, argument(COLUMN));
        code.load(R10, argument(PIXEL));
        code.load(R12, argument(SOURCES));
        code.load(R13, argument(SIGNAL));
        int row = code.here();
        for (int i = 0; i < SIDE; i++) {
            code.load(X[i], Address.of(R8, ROW * i));
            code.add(X[i], R9);
        }
        if (loop.gradient) {
            if (stride == 1) {
                writeGradient();
            } else {
                writeStridedGradient();
            }
        } else if (stride == 1) {
            writeCorrelation();
        } else {
            writeStridedCorrelation();
        }
        code.lea(R8, Address.of(R8, ROW * stride));
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        if (loop.gradient) {
            code.load(RSI, argument(VECTORS));
            for (int tap = 0; tap < TAPS; tap++) {
                code.storeVector(tap, Address.of(RSI, tap * Lanes.BYTES), 0);
            }
        } else if (loop.past) {
            code.fence();
        }
        code.store(R12, argument(SOURCES));
        code.store(R13, argument(SIGNAL));
        code.pop(R13, R12, RBP, RBX);
        code.end();
    }

    // the gradient: three rows of sources in rax, rbx and rcx, behind them r11; dy in rsi

    /** Column {@code column} of the window in row {@code row}. */
    private static int window(int row, int column) {
        return WINDOW + SIDE * row + column % SIDE;
    }

    /** The columns before the first that is read in turn. */
    private void writeStart(int columns) {
        for (int i = 0; i < SIDE; i++) {
            for (int column = 0; column < columns; column++) {
                code.load(R11, Address.of(R8, ROW * i + 8 * (1 + column)));
                code.loadVector(window(i, column), Address.of(R11, R9, 1));
            }
        }
        code.load(R11, argument(BEFORE));
    }

    private void writeGradient() {
        writeStart(2);
        code.loop(argument(TURNS), () -> {
            for (int i = 0; i < SIDE; i++) {
                writePixel(i);
            }
        });
        code.loop(argument(SINGLES), () -> {
            writePixel(0);
            for (int i = 0; i < SIDE; i++) {
                code.moveVector(window(i, 0), window(i, 1));
                code.moveVector(window(i, 1), window(i, 2));
            }
        });
        code.loop(argument(BEHIND), () -> {
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
    private void writePixel(int column) {
        code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
        askForSignal();
        askForSources(1);
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(window(i, column + 2), Address.of(X[i], R11, 1));
            for (int j = 0; j < SIDE; j++) {
                code.multiplyAdd(SIDE * i + j, PIXEL_OF_DY, window(i, column + j));
            }
        }
        code.add(R11, R10);
        code.add(RSI, R10);
    }

    private void writeStridedGradient() {
        writeStart(1);
        code.loop(argument(TURNS), () -> {
            writePair(0, 2);
            writePair(2, 0);
        });
        code.loop(argument(SINGLES), () -> {
            writePair(0, 2);
            for (int i = 0; i < SIDE; i++) {
                code.moveVector(window(i, 0), window(i, 2));
            }
        });
        code.loop(argument(BEHIND), () -> {
            code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
            code.add(RSI, R10);
            for (int i = 0; i < SIDE; i++) {
                code.multiplyAdd(SIDE * i, PIXEL_OF_DY, window(i, 0));
                code.multiplyAddVector(SIDE * i + 1, PIXEL_OF_DY, Address.of(X[i], R11, 1));
            }
        });
    }

    /** A pixel whose taps meet the column in {@code left}, one that is read for it alone, and one that is read to {@code right}. */
    private void writePair(int left, int right) {
        code.loadVector(PIXEL_OF_DY, Address.of(RSI, 0));
        askForSignal();
        for (int i = 0; i < SIDE; i++) {
            code.multiplyAdd(SIDE * i, PIXEL_OF_DY, window(i, left));
            code.multiplyAddVector(SIDE * i + 1, PIXEL_OF_DY, Address.of(X[i], R11, 1));
        }
        askForSources(2);
        code.add(R11, R10);
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(window(i, right), Address.of(X[i], R11, 1));
            code.multiplyAdd(SIDE * i + 2, PIXEL_OF_DY, window(i, right));
        }
        askForSources(2);
        code.add(R11, R10);
        code.add(RSI, R10);
    }

    /** The next vector of the last rows, which no row of results before has met, or as many lines that come next. */
    private void askForSources(int rows) {
        for (int i = 0; i < rows; i++) {
            if (loop.ahead) {
                code.prefetchIntoSecond(Address.of(R12, i * Lanes.BYTES));
            } else {
                code.prefetchIntoSecond(new Address(X[SIDE - rows + i], R11, 1, Lanes.BYTES));
            }
        }
        if (loop.ahead) {
            code.lea(R12, Address.of(R12, rows * Lanes.BYTES));
        }
    }

    private void askForSignal() {
        code.prefetchIntoSecond(loop.ahead ? Address.of(R13, 0) : Address.of(RSI, Lanes.BYTES));
        if (loop.ahead) {
            code.lea(R13, Address.of(R13, Lanes.BYTES));
        }
    }

    // the correlation: the same, with results in rsi; a result is one chain, column after column of its taps

    /** One of the results that are begun: the next to end is the first. */
    private static int result(int number) {
        return RESULTS + number % SIDE;
    }

    private void writeCorrelation() {
        code.clear(R11);
        code.moveVector(result(0), SHIFT);
        code.moveVector(result(1), SHIFT);
        code.loop(argument(BEFORE), () -> {
            writeColumn(0, false);
            moveResults();
        });
        code.loop(argument(TURNS), () -> {
            for (int i = 0; i < SIDE; i++) {
                writeColumn(i, true);
            }
        });
        code.loop(argument(SINGLES), () -> {
            writeColumn(0, true);
            moveResults();
        });
        code.loop(argument(BEHIND), () -> writeResult(result(0)));
        code.loop(argument(LAST), () -> writeResult(result(1)));
    }

    private void moveResults() {
        code.moveVector(result(0), result(1));
        code.moveVector(result(1), result(2));
    }

    /** A column of sources: the end of a result, if there is one, the middle of the next and the start of the one behind. */
    private void writeColumn(int number, boolean ends) {
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(WINDOW + i, Address.of(X[i], R11, 1));
        }
        askForSources(1);
        code.moveVector(result(number + 2), SHIFT);
        for (int i = 0; i < SIDE; i++) {
            if (ends) {
                code.multiplyAdd(result(number), WINDOW + i, SIDE * i + 2);
            }
            code.multiplyAdd(result(number + 1), WINDOW + i, SIDE * i + 1);
            code.multiplyAdd(result(number + 2), WINDOW + i, SIDE * i);
        }
        if (ends) {
            writeResult(result(number));
        }
        code.add(R11, R10);
    }

    private void writeResult(int result) {
        code.greater(result, LOW, result);
        if (loop.past) {
            code.streamVector(result, Address.of(RSI, 0));
        } else {
            code.storeVector(result, Address.of(RSI, 0), 0);
            code.prefetchToWrite(Address.of(RSI, Lanes.BYTES));
        }
        code.add(RSI, R10);
    }

    private void writeStridedCorrelation() {
        code.clear(R11);
        code.moveVector(result(0), SHIFT);
        code.loop(argument(BEFORE), () -> {
            for (int i = 0; i < SIDE; i++) {
                code.multiplyAddVector(result(0), SIDE * i, Address.of(X[i], R11, 1));
            }
            askForSources(2);
            code.add(R11, R10);
        });
        code.loop(argument(TURNS), () -> {
            writeColumns(0, 1);
            writeColumns(1, 0);
        });
        code.loop(argument(SINGLES), () -> {
            writeColumns(0, 1);
            code.moveVector(result(0), result(1));
        });
        code.loop(argument(BEHIND), () -> {
            writeMiddle(0);
            writeResult(result(0));
        });
    }

    /** Two columns of sources: the middle and the end of a result, and the start of the next. */
    private void writeColumns(int number, int next) {
        writeMiddle(number);
        code.add(R11, R10);
        code.moveVector(result(next), SHIFT);
        for (int i = 0; i < SIDE; i++) {
            code.loadVector(WINDOW + i, Address.of(X[i], R11, 1));
            code.multiplyAdd(result(number), WINDOW + i, SIDE * i + 2);
            code.multiplyAdd(result(next), WINDOW + i, SIDE * i);
        }
        askForSources(2);
        code.add(R11, R10);
        writeResult(result(number));
    }

    private void writeMiddle(int number) {
        for (int i = 0; i < SIDE; i++) {
            code.multiplyAddVector(result(number), SIDE * i + 1, Address.of(X[i], R11, 1));
        }
        askForSources(2);
    }
}
