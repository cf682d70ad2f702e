package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * The gradient of softmax as machine code, for x86-64 with AVX-512, with the bits of {@link SoftmaxBackwardVector}: the dot product of a row
 * of y and dy, then dx = y (dy - dot), in whole cache lines, past the caches where none would keep them, while the next row is asked for.
 *
 * <p>rsi, rdx and rcx are rows of y, dy and dx, r8 and r9 the next ones of y and dy, rax an offset, rbx the rows that are left.
 */
final class SoftmaxBackwardCode {
    /** Elements of a call: some microseconds, see {@link MachineCode#brief}; of a row at most. */
    private static final int MOST = 1 << 13, LONGEST = 1 << 14;
    /** Bytes from what a dot product reads to what is asked for, beside the next row. */
    private static final int AHEAD = 4096;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int Y = 0, DY = 8, DX = 16, ROWS = 24, LENGTH = 32, PAIRS = 40, SINGLE = 48, TAIL = 56;

    private static final int ARGUMENT = 64;
    /** Vector registers: sums of even and of odd vectors. */
    private static final int EVEN = 8, ODD = 9;
    /** Masks: the row's last lanes, and its first and last ones of dx. */
    private static final int LAST = 1, EDGE = 3;

    private static final LazyCode NARROW = new LazyCode(() -> make(true, false));
    private static final LazyCode STORED = new LazyCode(() -> make(false, false));
    private static final LazyCode STREAMED = new LazyCode(() -> make(false, true));

    private static final Scratch ARGUMENTS = new ThreadScratch();

    private SoftmaxBackwardCode() {}

    /** Whether there is such code for rows of so many elements. */
    static boolean takes(int n) {
        return n > 0 && n <= LONGEST && NARROW.get() != null && STORED.get() != null && STREAMED.get() != null;
    }

    /**
     * Rows that follow each other without gaps.
     *
     * @param past whether dx passes by the caches
     */
    static void run(long y, long dy, long dx, int rows, int n, boolean past) {
        long argument = ARGUMENTS.address(ARGUMENT), length = 4L * n;
        int pair = 2 * Lanes.FLOATS;
        set(argument + LENGTH, length);
        set(argument + PAIRS, n / pair);
        set(argument + SINGLE, n % pair / Lanes.FLOATS);
        set(argument + TAIL, (1L << n % Lanes.FLOATS) - 1);
        int most = Math.max(1, MOST / n);
        MachineCode code = (n < Lanes.FLOATS ? NARROW : past ? STREAMED : STORED).get();
        for (int from = 0; from < rows; from += most) {
            set(argument + Y, y + from * length);
            set(argument + DY, dy + from * length);
            set(argument + DX, dx + from * length);
            set(argument + ROWS, Math.min(most, rows - from));
            code.run(argument, 0, 0, 0, 0, 0);
        }
    }

    /** @param narrow whether a row is less than a vector */
    private static MachineCode make(boolean narrow, boolean past) {
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP);
        code.load(RSI, argument(Y));
        code.load(RDX, argument(DY));
        code.load(RCX, argument(DX));
        code.load(RBX, argument(ROWS));
        code.loadMask(LAST, argument(TAIL));
        int row = code.here();
        code.lea(R8, Address.of(RSI, 0));
        code.add(R8, argument(LENGTH));
        code.lea(R9, Address.of(RDX, 0));
        code.add(R9, argument(LENGTH));
        writeDot(code, narrow, past);
        if (narrow) {
            writeGradient(code, LAST, false);
        } else {
            WholeLines.write(code, RCX, argument(LENGTH), EDGE, mask -> writeGradient(code, mask, past));
        }
        code.lea(RSI, Address.of(R8, 0));
        code.lea(RDX, Address.of(R9, 0));
        code.add(RCX, argument(LENGTH));
        code.decrement(RBX);
        code.jumpUnlessZero(row);
        if (past) {
            code.fence();
        }
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }

    /** To all lanes of {@link #EVEN}. Leaves rax 0 where the row is narrow. */
    private static void writeDot(VectorAssembler code, boolean narrow, boolean past) {
        code.zero(EVEN);
        code.zero(ODD);
        code.clear(RAX);
        if (!narrow) {
            code.loop(argument(PAIRS), () -> {
                for (int offset = 0; past && offset < 2 * Lanes.BYTES; offset += Lanes.BYTES) {
                    code.prefetchIntoSecond(new Address(RSI, RAX, 1, AHEAD + offset));
                    code.prefetchIntoSecond(new Address(RDX, RAX, 1, AHEAD + offset));
                }
                multiplyAdd(code, EVEN, 0);
                multiplyAdd(code, ODD, Lanes.BYTES);
                code.lea(RAX, Address.of(RAX, 2 * Lanes.BYTES));
            });
            code.unlessZero(argument(SINGLE), () -> {
                multiplyAdd(code, EVEN, 0);
                code.lea(RAX, Address.of(RAX, Lanes.BYTES));
            });
        }
        code.unlessZero(argument(TAIL), () -> {
            code.loadOrZero(0, Address.of(RSI, RAX, 1), LAST);
            code.loadOrZero(1, Address.of(RDX, RAX, 1), LAST);
            code.multiplyAdd(ODD, 0, 1);
        });
        code.addVectors(EVEN, EVEN, ODD);
        code.sumLanes(EVEN, 0);
    }

    private static void multiplyAdd(VectorAssembler code, int sum, int offset) {
        code.loadVector(0, new Address(RSI, RAX, 1, offset));
        code.multiplyAddVector(sum, 0, new Address(RDX, RAX, 1, offset));
    }

    private static void writeGradient(VectorAssembler code, int mask, boolean past) {
        Address y = Address.of(RSI, RAX, 1), dy = Address.of(RDX, RAX, 1), dx = Address.of(RCX, RAX, 1);
        if (mask == 0) {
            if (past) {
                code.prefetchIntoSecond(Address.of(R8, RAX, 1));
                code.prefetchIntoSecond(Address.of(R9, RAX, 1));
            }
            code.loadVector(0, dy);
            code.subtractVectors(0, 0, EVEN);
            code.multiplyVector(0, 0, y);
        } else {
            code.loadOrZero(0, dy, mask);
            code.subtractVectors(0, 0, EVEN);
            code.multiplyOrZero(0, 0, y, mask);
        }
        WholeLines.store(code, 0, dx, mask, past);
    }
}
