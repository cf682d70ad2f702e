package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * {@link DepthwiseSpread} as machine code, for x86-64 with AVX-512, with the same bits (but for which of two NaN is passed on). It reads
 * dy where it is, two rows for two of the image, and asks for the next vector of channels meanwhile.
 */
final class DepthwiseSpreadCode {
    /** Vectors written in a call: some microseconds, see {@link MachineCode#brief}; two rows are the least. */
    private static final int WORK = 1 << 12;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int COLUMN = 0,
            TABLE = 8,
            PIXEL = 16,
            ROWS = 24,
            FILTER = 32,
            BEFORE = 40,
            START = 48,
            WHOLE = 56;

    private static final int BEHIND = 64, LAST = 72, ARGUMENT = 80;
    /** Bytes for two rows of the image: where the two rows of dy are, of each the left pixel that the first block meets, and the two rows. */
    private static final int PAIR = 48;

    /** Vector registers: taps from 0 on, then the pixels of dy that a block meets, and its results. */
    private static final int UPPER_LEFT = 9, UPPER_RIGHT = 10, LOWER_LEFT = 11, LOWER_RIGHT = 12, RESULTS = 13;

    /** Constants, since a call of what is constant to the compiler takes a fraction of the time of another. */
    private static final MachineCode STORED = make(false), STREAMED = make(true);

    private static final Scratch ARGUMENTS = new ThreadScratch();

    private final VectorAssembler code = new VectorAssembler();
    private final boolean past;

    private DepthwiseSpreadCode(boolean past) {
        this.past = past;
    }

    /** Null on other machines and systems. */
    private static MachineCode make(boolean past) {
        return VectorAssembler.isWanted() ? new DepthwiseSpreadCode(past).write() : null;
    }

    /** Whether there is such code, for rows of so many pixels of the image and of dy. */
    static boolean takes(int wide, int columns) {
        return STORED != null && STREAMED != null && DepthwiseCode.takes(Math.max(wide, columns));
    }

    /**
     * Some pairs of rows of an image.
     *
     * @param past whether results pass by the caches
     */
    record Band(int rows, int wide, boolean past, long argument) {
        /**
         * On this thread, until the next.
         *
         * @param dy with the padding that {@link ConvDepthwise#spread} has, and as spare a row of the image
         * @param first the first pixel of dy's image
         * @param image where the image of {@code high x wide} pixels goes
         * @param blocks of two pixels in a row
         * @param top the upper row of the first pair, which may lie above the image as the lower one of the last below
         */
        static Band of(
                DepthwiseSource dy,
                long first,
                long image,
                int high,
                int wide,
                int blocks,
                int from,
                int to,
                int top,
                boolean past) {
            long pixel = dy.pixel(),
                    line = wide * pixel,
                    argument = ARGUMENTS.address(ARGUMENT + (long) PAIR * (to - from));
            boolean before = dy.padW() == 1;
            for (int i = from; i < to; i++) {
                long at = argument + ARGUMENT + (long) PAIR * (i - from),
                        upper = dy.row(first, i),
                        lower = dy.row(first, i + 1);
                int y = top + 2 * i;
                set(at, upper);
                set(at + 8, lower);
                set(at + 16, before ? dy.zeros() : upper);
                set(at + 24, before ? dy.zeros() : lower);
                set(at + 32, y >= 0 && y < high ? image + y * line : dy.spare());
                set(at + 40, y + 1 >= 0 && y + 1 < high ? image + (y + 1) * line : dy.spare());
            }
            // blocks that meet two columns of dy, then one, then none; the last may have one pixel only
            int lead = before ? 1 : 0, half = (wide + lead) % 2;
            int whole = Math.min(dy.wide() - 1 + lead, blocks - half), behind = blocks - half - whole;
            set(argument + PIXEL, pixel);
            set(argument + BEFORE, lead);
            set(argument + START, before ? 0 : pixel);
            set(argument + WHOLE, whole - lead);
            set(argument + BEHIND, behind);
            set(argument + LAST, half);
            return new Band(to - from, wide, past, argument);
        }

        /** One vector of channels. */
        void run(long column, long filter) {
            int most = Math.max(1, WORK / Math.max(1, 2 * wide));
            set(argument + COLUMN, column);
            set(argument + FILTER, filter);
            for (int row = 0, some; row < rows; row += some) {
                some = Math.min(most, rows - row);
                set(argument + TABLE, argument + ARGUMENT + (long) PAIR * row);
                set(argument + ROWS, some);
                if (past) {
                    STREAMED.run(argument, 0, 0, 0, 0, 0);
                } else {
                    STORED.run(argument, 0, 0, 0, 0, 0);
                }
            }
        }
    }

    /** Rows of dy in rax and rbx, behind them r11; those of the image in rsi and rdx. */
    private MachineCode write() {
        code.push(RBX, RBP);
        code.load(RSI, argument(FILTER));
        for (int tap = 0; tap < ConvDepthwise.TAPS; tap++) {
            code.loadVector(tap, Address.of(RSI, tap * Lanes.BYTES));
        }
        code.load(R8, argument(TABLE));
        code.load(R9, argument(COLUMN));
        code.load(R10, argument(PIXEL));
        int row = code.here();
        int[] pointers = {RAX, RBX, RCX, R11, RSI, RDX};
        for (int i = 0; i < pointers.length; i++) {
            code.load(pointers[i], Address.of(R8, 8 * i));
            code.add(pointers[i], R9);
        }
        code.loadVector(UPPER_LEFT, Address.of(RCX, 0));
        code.loadVector(LOWER_LEFT, Address.of(R11, 0));
        code.load(R11, argument(START));
        code.loop(argument(BEFORE), () -> {
            loadRight();
            writeRight();
        });
        code.loop(argument(WHOLE), () -> {
            loadRight();
            writeLeft();
            writeRight();
        });
        code.loop(argument(BEHIND), () -> {
            code.zero(UPPER_RIGHT);
            code.zero(LOWER_RIGHT);
            writeLeft();
            writeRight();
        });
        code.loop(argument(LAST), () -> writeLeft());
        code.lea(R8, Address.of(R8, PAIR));
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        if (past) {
            code.fence();
        }
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }

    private void loadRight() {
        code.loadVector(UPPER_RIGHT, Address.of(RAX, R11, 1));
        code.loadVector(LOWER_RIGHT, Address.of(RBX, R11, 1));
        code.prefetchIntoSecond(new Address(RBX, R11, 1, Lanes.BYTES));
        code.add(R11, R10);
    }

    /** The left pixels of a block. */
    private void writeLeft() {
        code.multiply(RESULTS, UPPER_LEFT, 4);
        code.multiply(RESULTS + 1, UPPER_LEFT, 7);
        code.multiplyAdd(RESULTS + 1, LOWER_LEFT, 1);
        writeResults(RESULTS);
    }

    /** The right ones; then what was right is left. */
    private void writeRight() {
        int upper = RESULTS + 2, lower = RESULTS + 3;
        code.multiply(upper, UPPER_LEFT, 5);
        code.multiplyAdd(upper, UPPER_RIGHT, 3);
        code.multiply(lower, UPPER_LEFT, 8);
        code.multiplyAdd(lower, UPPER_RIGHT, 6);
        code.multiplyAdd(lower, LOWER_LEFT, 2);
        code.multiplyAdd(lower, LOWER_RIGHT, 0);
        writeResults(upper);
        code.moveVector(UPPER_LEFT, UPPER_RIGHT);
        code.moveVector(LOWER_LEFT, LOWER_RIGHT);
    }

    private void writeResults(int upper) {
        int[] to = {RSI, RDX};
        for (int i = 0; i < to.length; i++) {
            if (past) {
                code.streamVector(upper + i, Address.of(to[i], 0));
            } else {
                code.storeVector(upper + i, Address.of(to[i], 0), 0);
                code.prefetchToWrite(Address.of(to[i], Lanes.BYTES));
            }
            code.add(to[i], R10);
        }
    }
}
