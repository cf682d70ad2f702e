package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/**
 * {@link ThinTile} as machine code, for x86-64 with AVX-512, with the same bits (but for which of two NaN is passed on): rows of results
 * of up to eight channels, two rows at a time, whose sums are turned into pixels where they are, in registers.
 */
final class ThinTileCode {
    /** Multiply-adds of vectors in a call: some microseconds, see {@link MachineCode#brief}; two rows are the least, of at most so many. */
    private static final int WORK = 1 << 14, MOST = 1 << 15;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int X = 0, BELOW = 8, ROW = 16, TAPS = 24, TAP_COUNT = 32, FILTER = 40, TAP = 48, BIAS = 56;

    private static final int Y = 64, Y_BELOW = 72, Y_ROW = 80, ROWS = 88, WHOLE = 96, PART = 104, MASKS = 112;
    private static final int FLOOR = 120, ZEROS = 128, ARGUMENT = ZEROS + PlaneWeave.MOST * Float.BYTES;

    /** Vector registers: the sums from 0 on, then these. */
    private static final int SPARE = 2 * PlaneWeave.MOST, UPPER = 20, LOWER = 21, ELEMENT = 22, LOW = 23;

    private static final Scratch ARGUMENTS = new ThreadScratch();
    /** By channels, made when first asked for. */
    private static final MachineCode[] CODES = new MachineCode[PlaneWeave.MOST + 1];

    private final MachineCode code;
    private final int k, pixels;
    /** The offsets of taps, then the masks of the vectors of pixels that are written last. */
    private final MemorySegment table;

    private final int taps;

    private ThinTileCode(MachineCode code, long[] taps, int k, int pixels) {
        this.code = code;
        this.k = k;
        this.pixels = pixels;
        this.taps = taps.length;
        table = Arena.ofAuto().allocate(8L * taps.length + 4L * k, 8);
        MemorySegment.copy(taps, 0, table, ValueLayout.JAVA_LONG, 0, taps.length);
        for (int i = 0; i < k; i++) {
            int live = Math.clamp(pixels % Lanes.FLOATS * k - i * Lanes.FLOATS, 0, Lanes.FLOATS);
            table.set(ValueLayout.JAVA_INT, 8L * taps.length + 4L * i, (1 << live) - 1);
        }
    }

    /**
     * Null on other machines and systems, and for rows that a call would take too long for.
     *
     * @param taps where a tap's pixels lie behind those of the result
     * @param pixels of a row of results
     */
    static ThinTileCode of(long[] taps, int k, int pixels) {
        boolean fits = VectorAssembler.isWanted() && k <= PlaneWeave.MOST && work(taps.length, k, pixels) <= MOST;
        MachineCode code = fits ? code(k) : null;
        return code == null ? null : new ThinTileCode(code, taps, k, pixels);
    }

    /** Of two rows. */
    private static long work(int taps, int k, int pixels) {
        return (taps + 4L) * 2 * k * Math.ceilDiv(pixels, Lanes.FLOATS);
    }

    private static synchronized MachineCode code(int k) {
        if (CODES[k] == null) {
            CODES[k] = new Writer(k).write();
        }
        return CODES[k];
    }

    /**
     * Rows of results one behind the other: each bias + the sum over the taps {@code from} to {@code to}, but not below {@code floor}.
     *
     * @param filter of tap 0, a float per channel
     * @param step bytes from tap to tap of it
     * @param bias a float per channel, or 0
     * @param x what the taps of the first row are offsets from
     * @param row bytes from row to row of that
     */
    void sum(int from, int to, long filter, long step, long bias, int floor, long x, long row, long y, int rows) {
        long argument = ARGUMENTS.address(ARGUMENT), line = 4L * k * pixels;
        set(argument + TAPS, table.address() + 8L * from);
        set(argument + TAP_COUNT, Math.max(0, to - from));
        set(argument + FILTER, filter + from * step);
        set(argument + TAP, step);
        if (bias == 0) {
            for (int i = 0; i < PlaneWeave.MOST; i += 2) {
                set(argument + ZEROS + 4L * i, 0);
            }
        }
        set(argument + BIAS, bias == 0 ? argument + ZEROS : bias);
        setInt(argument + FLOOR, floor);
        set(argument + WHOLE, pixels / Lanes.FLOATS);
        set(argument + PART, pixels % Lanes.FLOATS == 0 ? 0 : 1);
        set(argument + MASKS, table.address() + 8L * taps);
        set(argument + ROW, 2 * row);
        set(argument + Y_ROW, 2 * line);
        int most = (int) Math.max(1, WORK / work(Math.max(0, to - from), k, pixels));
        for (int i = 0, some; i < rows; i += 2 * some) {
            // a last row alone is computed twice
            boolean two = i + 1 < rows;
            some = two ? Math.min(most, (rows - i) / 2) : 1;
            set(argument + X, x + i * row);
            set(argument + BELOW, two ? row : 0);
            set(argument + Y, y + i * line);
            set(argument + Y_BELOW, two ? line : 0);
            set(argument + ROWS, some);
            code.run(argument, 0, 0, 0, 0, 0);
        }
        Reference.reachabilityFence(this);
    }

    /**
     * Two rows in r12 and where their results go in r13; of a tile these are rsi, with the lower row r8 behind it, and rdx, with rcx. The
     * tap in r9, its filter in r10, its offset in rbx.
     */
    private static final class Writer {
        private final VectorAssembler code = new VectorAssembler();
        private final int k;
        private final PlaneWeave weave;

        Writer(int k) {
            this.k = k;
            code.push(RBX, RBP, R12, R13, R14, R15);
            weave = PlaneWeave.toPixels(code, k, R14);
        }

        MachineCode write() {
            code.load(R12, argument(X));
            code.load(R13, argument(Y));
            code.load(R8, argument(BELOW));
            code.load(RCX, argument(Y_BELOW));
            code.load(R15, argument(TAP));
            code.load(RAX, argument(MASKS));
            code.broadcast(LOW, argument(FLOOR));
            int row = code.here();
            code.lea(RSI, Address.of(R12, 0));
            code.lea(RDX, Address.of(R13, 0));
            code.loop(argument(WHOLE), () -> {
                writeSums();
                writePixels(false);
                code.lea(RSI, Address.of(RSI, Lanes.BYTES));
                code.lea(RDX, Address.of(RDX, k * Lanes.BYTES));
            });
            code.loop(argument(PART), () -> {
                writeSums();
                writePixels(true);
            });
            code.add(R12, argument(ROW));
            code.add(R13, argument(Y_ROW));
            code.decrement(argument(ROWS));
            code.jumpUnlessZero(row);
            code.pop(R15, R14, R13, R12, RBP, RBX);
            code.end();
            return code.brief();
        }

        private void writeSums() {
            for (int i = 0; i < 2 * k; i++) {
                code.zero(i);
            }
            code.load(R9, argument(TAPS));
            code.load(R10, argument(FILTER));
            code.load(R11, argument(TAP_COUNT));
            int behind = code.jumpIfZero(R11), tap = code.here();
            code.load(RBX, Address.of(R9, 0));
            code.loadVector(UPPER, Address.of(RSI, RBX, 1));
            code.add(RBX, R8);
            code.loadVector(LOWER, Address.of(RSI, RBX, 1));
            for (int i = 0; i < k; i++) {
                code.broadcast(ELEMENT, Address.of(R10, Float.BYTES * i));
                code.multiplyAdd(i, UPPER, ELEMENT);
                code.multiplyAdd(k + i, LOWER, ELEMENT);
            }
            code.add(R10, R15);
            code.lea(R9, Address.of(R9, Long.BYTES));
            code.decrement(R11);
            code.jumpUnlessZero(tap);
            code.land(behind);
            code.load(R10, argument(BIAS));
            for (int i = 0; i < k; i++) {
                code.broadcast(ELEMENT, Address.of(R10, Float.BYTES * i));
                for (int sum = i; sum < 2 * k; sum += k) {
                    code.addVectors(sum, ELEMENT, sum);
                    code.greater(sum, LOW, sum);
                }
            }
        }

        private void writePixels(boolean part) {
            code.lea(RBX, Address.of(RDX, RCX, 1));
            int[] rows = {RDX, RBX};
            for (int i = 0; i < rows.length; i++) {
                int to = rows[i];
                weave.weave(i * k, SPARE, (index, register) -> {
                    if (part) {
                        code.loadMask(1, Address.of(RAX, Integer.BYTES * index));
                    }
                    code.storeVector(register, Address.of(to, index * Lanes.BYTES), part ? 1 : 0);
                });
            }
        }
    }
}
