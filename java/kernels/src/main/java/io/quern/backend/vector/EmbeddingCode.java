package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.util.function.LongUnaryOperator;

/**
 * Rows from anywhere to one place as machine code, for x86-64 with AVX-512: past the caches, and while a row is copied, the next one is
 * asked for, which no machine foresees.
 */
final class EmbeddingCode {
    /** Lines of a call at most: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 10;
    /** Rows of a call at most. */
    private static final int ROWS = 64;

    /** Where in the argument the numbers of a call are, in bytes: behind them where the rows are, and the one behind the last. */
    private static final int Y = 0, LINES = 8, COUNT = 16, TABLE = 24, ARGUMENT = TABLE + 8 * (ROWS + 1);

    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private EmbeddingCode() {}

    /** Whether there is such code, for rows of so many bytes that go to whole cache lines. */
    static boolean takes(long bytes) {
        return CODE != null && bytes > 0 && bytes <= WORK * Lanes.LINE && bytes % Lanes.LINE == 0;
    }

    /**
     * Rows {@code from} .. {@code to} to y, which is where the first of them goes.
     *
     * @param places where row i is
     */
    static void copy(LongUnaryOperator places, long from, long to, long y, long bytes) {
        long argument = ARGUMENTS.address(ARGUMENT), lines = bytes / Lanes.BYTES;
        int most = Math.clamp(WORK / lines, 1, ROWS);
        set(argument + LINES, lines);
        for (long at = from; at < to; at += most) {
            int some = (int) Math.min(most, to - at);
            for (int i = 0; i <= some; i++) {
                set(argument + TABLE + 8L * i, places.applyAsLong(Math.min(at + i, to - 1)));
            }
            set(argument + Y, y + (at - from) * bytes);
            set(argument + COUNT, some);
            CODE.run(argument, 0, 0, 0, 0, 0);
        }
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP);
        code.lea(R8, argument(TABLE));
        code.load(RSI, argument(Y));
        int row = code.here();
        code.load(RAX, Address.of(R8, 0));
        code.load(RBX, Address.of(R8, 8));
        code.loop(argument(LINES), () -> {
            code.loadVector(0, Address.of(RAX, 0));
            code.prefetchIntoSecond(Address.of(RBX, 0));
            code.streamVector(0, Address.of(RSI, 0));
            for (int pointer : new int[] {RAX, RBX, RSI}) {
                code.lea(pointer, Address.of(pointer, Lanes.BYTES));
            }
        });
        code.lea(R8, Address.of(R8, 8));
        code.decrement(argument(COUNT));
        code.jumpUnlessZero(row);
        code.fence();
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }
}
