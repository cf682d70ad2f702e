package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/**
 * The sums of {@link ConvThin} as machine code, for x86-64 with AVX-512, in the same order: pixels of up to eight channels, each the sum
 * of terms that lie at its own offsets in some rows.
 */
final class ThinSumCode {
    /** Work of a call, about its terms: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 13;

    /** Where in the argument the numbers of a call are, in bytes; then where the rows are. */
    private static final int TERMS = 0, COUNTS = 8, PIXELS = 16, Y = 24, PIXEL = 32, ROWS = 40, MASK = 48, TABLE = 56;

    private static final int FOUR = 4;
    /** Of up to four channels, and of more. */
    private static final MachineCode NARROW = make(true), WIDE = make(false);

    private static final Scratch ARGUMENTS = new ThreadScratch();

    /** The terms, then how many each pixel has. */
    private final MemorySegment table;

    /** Terms of a pixel at most. */
    private final int most;

    private final int channels, rows;
    private final int[] firstTerm;

    private ThinSumCode(long[] terms, int[] firstTerm, int most, int channels, int rows) {
        this.most = most;
        this.firstTerm = firstTerm;
        this.channels = channels;
        this.rows = rows;
        int pixels = firstTerm.length - 1;
        table = Arena.ofAuto().allocate(8L * (terms.length + pixels), 8);
        MemorySegment.copy(terms, 0, table, ValueLayout.JAVA_LONG, 0, terms.length);
        for (int x = 0; x < pixels; x++) {
            table.setAtIndex(ValueLayout.JAVA_LONG, (long) terms.length + x, firstTerm[x + 1] - firstTerm[x]);
        }
    }

    /**
     * Null on other machines and systems, and for pixels that a call would take too long for.
     *
     * @param terms where in a row the terms of all pixels are, those of pixel x from {@code firstTerm[x]} on
     * @param rows most rows that {@link #sum} is given
     */
    static ThinSumCode of(long[] terms, int[] firstTerm, int channels, int rows) {
        int most = 0;
        for (int x = 1; x < firstTerm.length; x++) {
            most = Math.max(most, firstTerm[x] - firstTerm[x - 1]);
        }
        boolean fits = NARROW != null && WIDE != null && work(rows, most) <= WORK;
        return fits ? new ThinSumCode(terms, firstTerm, most, channels, rows) : null;
    }

    /** Of a pixel. */
    private static long work(int rows, int terms) {
        return 4 + rows * (terms + 2L);
    }

    /** Writes a row of pixels: row by row, and there term by term; as many channels are read as a vector of four or eight has. */
    void sum(long[] from, int count, long y) {
        long argument = ARGUMENTS.address(TABLE + 8L * rows),
                counts = table.address() + 8L * firstTerm[firstTerm.length - 1];
        for (int i = 0; i < count; i++) {
            set(argument + TABLE + 8L * i, from[i]);
        }
        set(argument + PIXEL, (long) channels * Float.BYTES);
        set(argument + ROWS, count);
        set(argument + MASK, (1 << channels) - 1);
        int pixels = firstTerm.length - 1;
        int some = (int) (WORK / work(count, most));
        for (int x = 0; x < pixels; x += some) {
            set(argument + TERMS, table.address() + 8L * firstTerm[x]);
            set(argument + COUNTS, counts + 8L * x);
            set(argument + PIXELS, Math.min(some, pixels - x));
            set(argument + Y, y + (long) x * channels * Float.BYTES);
            if (channels <= FOUR) {
                NARROW.run(argument, 0, 0, 0, 0, 0);
            } else {
                WIDE.run(argument, 0, 0, 0, 0, 0);
            }
        }
        Reference.reachabilityFence(this);
    }

    /**
     * Terms of a pixel from r9 on, as many as r10 says; in a row, rax, the next one in rsi, of rcx; where rows are, rbx. The pixel is
     * rdx.
     */
    private static MachineCode make(boolean narrow) {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP);
        code.load(RDX, argument(Y));
        code.load(R8, argument(COUNTS));
        code.load(R9, argument(TERMS));
        code.loadMask(1, argument(MASK));
        int pixel = code.here();
        code.zero(0);
        code.load(R10, Address.of(R8, 0));
        code.lea(RBX, argument(TABLE));
        int none = code.jumpIfZero(R10);
        code.loop(argument(ROWS), () -> {
            code.load(RAX, Address.of(RBX, 0));
            code.lea(RSI, Address.of(R9, 0));
            code.lea(RCX, Address.of(R10, 0));
            int term = code.here();
            code.load(R11, Address.of(RSI, 0));
            if (narrow) {
                code.addQuarter(0, 0, Address.of(RAX, R11, 1));
            } else {
                code.addHalf(0, 0, Address.of(RAX, R11, 1));
            }
            code.lea(RSI, Address.of(RSI, Long.BYTES));
            code.decrement(RCX);
            code.jumpUnlessZero(term);
            code.lea(RBX, Address.of(RBX, Long.BYTES));
        });
        code.lea(R9, Address.of(R9, R10, Long.BYTES));
        code.land(none);
        code.storeHalf(0, Address.of(RDX, 0), 1);
        code.add(RDX, argument(PIXEL));
        code.lea(R8, Address.of(R8, Long.BYTES));
        code.decrement(argument(PIXELS));
        code.jumpUnlessZero(pixel);
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }
}
