package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * The sums of {@link ChannelMoments} and {@link ChannelGradients} as machine code, for x86-64 with AVX-512, in the same order: two sums
 * per column, to which rows are added one after the other.
 *
 * <p>A group of columns at a time has its sums in registers for a band of rows: a single row by rows, else all.
 * r8 is the band in x, r12 the group in it, rax the row; r9, r13 and rbx are the same in dy. The sums are at rdx and rsi, the means at r11,
 * the stride is r10; rcx counts groups, rbp rows.
 */
enum ChannelSumsCode {
    /** Sums of x and x^2 in double. */
    MOMENTS(true, false, false),
    /** The same row by row, see {@link ChannelSums#byRows}. */
    ROW_MOMENTS(true, false, true),
    /** Sums of dy and dy (x - mean) in double. */
    GRADIENTS(true, true, false),
    /** The same in float, row by row. */
    ROW_GRADIENTS(false, true, true);

    /** Elements of x, and as many of dy, of a call at most: some microseconds, see {@link MachineCode#brief}. */
    private static final int MOST = 1 << 14;

    /** First vector register of both kinds of sums, of means and of what is read. */
    private static final int FIRST = 0, SECOND = 8, MEAN = 16, READ = 24;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int X = 0, DY = 8, STRIDE = 16, BANDS = 24, BAND_ROWS = 32, GROUPS = 40;

    private static final int SUMS = 48, SECOND_SUMS = 56, MEANS = 64, ARGUMENT = 72;
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private final boolean doubles;
    private final boolean gradients;
    private final boolean byRows;
    /** Columns of a group, and its vectors. */
    private final int group, vectors;

    private final LazyCode code;

    ChannelSumsCode(boolean doubles, boolean gradients, boolean byRows) {
        this.doubles = doubles;
        this.gradients = gradients;
        this.byRows = byRows;
        // a cache line of each matrix by turns keeps pace with memory, wider groups do not
        group = byRows ? 16 : 64;
        vectors = group * (doubles ? Double.BYTES : Float.BYTES) / Lanes.BYTES;
        code = new LazyCode(this::make);
    }

    /** How many of the columns {@link #add} takes, the first ones: none where there are no rows, or no such code. */
    int columns(int rows, int columns) {
        return rows > 0 && code.get() != null ? columns & -group : 0;
    }

    /**
     * Adds rows to both sums of each column.
     *
     * @param dy 0 for moments
     * @param stride elements from row to row
     * @param columns as many as {@link #columns} says
     * @param sums the first sum of each column, then the second ones, then, of gradients, the means, which are floats
     */
    void add(long x, long dy, int stride, int rows, int columns, long sums) {
        MachineCode made = code.get();
        int element = doubles ? Double.BYTES : Float.BYTES;
        int most = Math.max(1, MOST / columns);
        long argument = ARGUMENTS.address(ARGUMENT), bytes = 4L * stride;
        set(argument + STRIDE, bytes);
        set(argument + GROUPS, columns / group);
        set(argument + SUMS, sums);
        set(argument + SECOND_SUMS, sums + (long) element * columns);
        set(argument + MEANS, sums + 2L * element * columns);
        for (int row = 0, some; row < rows; row += some) {
            some = Math.min(most, rows - row);
            set(argument + X, x + row * bytes);
            set(argument + DY, dy + row * bytes);
            set(argument + BANDS, byRows ? some : 1);
            set(argument + BAND_ROWS, byRows ? 1 : some);
            made.run(argument, 0, 0, 0, 0, 0);
        }
    }

    private MachineCode make() {
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP, R12, R13);
        code.load(R8, argument(X));
        code.load(R9, argument(DY));
        code.load(R10, argument(STRIDE));
        int nextBand = code.here();
        code.lea(R12, Address.of(R8, 0));
        code.lea(R13, Address.of(R9, 0));
        code.load(RDX, argument(SUMS));
        code.load(RSI, argument(SECOND_SUMS));
        code.load(R11, argument(MEANS));
        code.load(RCX, argument(GROUPS));
        int nextGroup = code.here();
        writeGroup(code);
        for (int pointer : new int[] {R12, R13, R11}) {
            code.lea(pointer, Address.of(pointer, group * Float.BYTES));
        }
        for (int pointer : new int[] {RDX, RSI}) {
            code.lea(pointer, Address.of(pointer, vectors * Lanes.BYTES));
        }
        code.decrement(RCX);
        code.jumpUnlessZero(nextGroup);
        // to the next row, unless this was the only band
        code.add(R8, R10);
        code.add(R9, R10);
        code.decrement(argument(BANDS));
        code.jumpUnlessZero(nextBand);
        code.pop(R13, R12, RBP, RBX);
        code.end();
        return code.brief();
    }

    private void writeGroup(VectorAssembler code) {
        for (int v = 0; v < vectors; v++) {
            code.loadVector(FIRST + v, Address.of(RDX, v * Lanes.BYTES));
            code.loadVector(SECOND + v, Address.of(RSI, v * Lanes.BYTES));
            if (gradients) {
                read(code, MEAN + v, R11, v);
            }
        }
        code.lea(RAX, Address.of(R12, 0));
        code.lea(RBX, Address.of(R13, 0));
        code.loop(argument(BAND_ROWS), () -> {
            for (int v = 0; v < vectors; v++) {
                if (gradients) {
                    writeGradient(code, v);
                } else {
                    read(code, READ + v, RAX, v);
                    code.addDoubles(FIRST + v, FIRST + v, READ + v);
                    code.multiplyAddDoubles(SECOND + v, READ + v, READ + v);
                }
            }
            code.add(RAX, R10);
            code.add(RBX, R10);
        });
        for (int v = 0; v < vectors; v++) {
            code.storeVector(FIRST + v, Address.of(RDX, v * Lanes.BYTES), 0);
            code.storeVector(SECOND + v, Address.of(RSI, v * Lanes.BYTES), 0);
        }
    }

    private void writeGradient(VectorAssembler code, int v) {
        int x = READ + v % 4, dy = READ + 4 + v % 4;
        read(code, x, RAX, v);
        read(code, dy, RBX, v);
        if (doubles) {
            code.subtractDoubles(x, x, MEAN + v);
            code.multiplyAddDoubles(SECOND + v, x, dy);
            code.addDoubles(FIRST + v, FIRST + v, dy);
        } else {
            code.subtractVectors(x, x, MEAN + v);
            code.multiplyAdd(SECOND + v, x, dy);
            code.addVectors(FIRST + v, FIRST + v, dy);
        }
    }

    /** A vector of floats, or of doubles that floats in memory become. */
    private void read(VectorAssembler code, int to, int base, int v) {
        if (doubles) {
            code.loadAsDoubles(to, Address.of(base, v * Lanes.BYTES / 2));
        } else {
            code.loadVector(to, Address.of(base, v * Lanes.BYTES));
        }
    }
}
