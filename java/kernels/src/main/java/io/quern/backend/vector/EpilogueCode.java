package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.ScalarMath.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import io.quern.op.ActivationKind;

/**
 * Bias, activation and dropout on rows of a matrix as machine code, for x86-64 with AVX-512: one reading of the block, with the bits of
 * {@link ActivationRows}. What Java cannot express: the bits of what dropout drops as a mask at once, and the last lanes of a row under one.
 *
 * <p>rsi, r8 and r9 are the rows of c, of the bias and of the copy, rax the offset in them, rbx where the bits are, rbp the vectors left.
 */
final class EpilogueCode {
    /** Elements of a call at most: some microseconds, see {@link MachineCode#brief}. */
    private static final int MOST = 1 << 13;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int C = 0, STRIDE = 8, BIAS = 16, COPY = 24, ROWS = 32, VECTORS = 40, LAST = 48, BITS = 56;

    private static final int CONSTANTS = 64;
    /** In vector registers from {@link #CONSTANT} on, the scale of dropout first. */
    private static final float[] VALUES = {
        0, GELU_CUBIC_2, GELU_LINEAR_2, Float.intBitsToFloat(GELU_ONE), ROUND, P5, P4, P3, P2, P1, 1, GELU_ZERO, -0f
    };

    private static final int ARGUMENT = CONSTANTS + 4 * VALUES.length;
    private static final int CONSTANT = 16;
    private static final int SCALE = CONSTANT,
            CUBIC = CONSTANT + 1,
            LINEAR = CONSTANT + 2,
            LOWEST = CONSTANT + 3,
            ROUNDING = CONSTANT + 4,
            FACTOR_5 = CONSTANT + 5,
            ONE = CONSTANT + 10,
            LIMIT = CONSTANT + 11,
            MINUS_ZERO = CONSTANT + 12,
            ZERO = CONSTANT + 13;
    /** Masks: the last lanes of a row, those that live, those where GELU is 0. */
    private static final int TAIL = 1, ALIVE = 2, FLAT = 3;

    private static final ActivationKind[] KINDS = {ActivationKind.NONE, ActivationKind.RELU, ActivationKind.GELU};
    /** By kind, then with and without a copy, with and without dropout. */
    private static final LazyCode[] CODES = new LazyCode[4 * KINDS.length];

    static {
        for (int i = 0; i < CODES.length; i++) {
            ActivationKind kind = KINDS[i / 4];
            boolean copies = (i & 2) != 0, drops = (i & 1) != 0;
            CODES[i] = new LazyCode(() -> make(kind, copies, drops));
        }
    }

    private static final Scratch ARGUMENTS = new ThreadScratch();

    private EpilogueCode() {}

    private static LazyCode code(ActivationKind kind, boolean copies, boolean drops) {
        int index = switch (kind) {
            case NONE -> 0;
            case RELU -> 4;
            case GELU -> 8;
            case LEAKY_RELU, SIGMOID, TANH, SILU -> -1;
        };
        return index < 0 ? null : CODES[index + (copies ? 2 : 0) + (drops ? 1 : 0)];
    }

    /** Whether {@link #run} can do rows of so many columns, under a bias. */
    static boolean takes(ActivationKind kind, boolean copies, boolean drops, int columns) {
        LazyCode code = code(kind, copies, drops);
        return code != null
                && columns > 0
                && columns <= MOST
                && (!drops || columns % Lanes.FLOATS == 0)
                && code.get() != null;
    }

    /** Rows that a call can do. */
    static int strip(int columns) {
        return MOST / columns;
    }

    /**
     * c = f(c + bias), and of that what lives, scaled.
     *
     * @param stride bytes from row to row of c and of the copy
     * @param copy where c + bias goes as well, or 0
     * @param rows up to {@link #strip}
     * @param bits of the rows as from {@link DropoutBits}, {@code columns} bits each, or 0
     */
    static void run(
            ActivationKind kind,
            long c,
            long stride,
            long bias,
            long copy,
            int rows,
            int columns,
            long bits,
            float scale) {
        long argument = ARGUMENTS.address(ARGUMENT);
        set(argument + C, c);
        set(argument + STRIDE, stride);
        set(argument + BIAS, bias);
        set(argument + COPY, copy);
        set(argument + ROWS, rows);
        set(argument + VECTORS, columns / Lanes.FLOATS);
        set(argument + LAST, (1L << columns % Lanes.FLOATS) - 1);
        set(argument + BITS, bits);
        setInt(argument + CONSTANTS, Float.floatToRawIntBits(scale));
        if (kind == ActivationKind.GELU) {
            for (int i = 1; i < VALUES.length; i++) {
                setInt(argument + CONSTANTS + 4L * i, Float.floatToRawIntBits(VALUES[i]));
            }
        }
        code(kind, copy != 0, bits != 0).get().run(argument, 0, 0, 0, 0, 0);
    }

    private static MachineCode make(ActivationKind kind, boolean copies, boolean drops) {
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP);
        code.load(RSI, argument(C));
        code.load(R8, argument(BIAS));
        code.load(R9, argument(COPY));
        code.load(RBX, argument(BITS));
        code.loadMask(TAIL, argument(LAST));
        code.zero(ZERO);
        code.broadcast(SCALE, argument(CONSTANTS));
        for (int i = 1; kind == ActivationKind.GELU && i < VALUES.length; i++) {
            code.broadcast(CONSTANT + i, argument(CONSTANTS + 4 * i));
        }
        int row = code.here();
        code.clear(RAX);
        code.loop(argument(VECTORS), () -> {
            code.loadVector(0, Address.of(RSI, RAX, 1));
            code.addVectors(0, 0, Address.of(R8, RAX, 1), 0);
            write(code, kind, copies, drops, 0);
            code.lea(RAX, Address.of(RAX, Lanes.BYTES));
        });
        if (!drops) {
            code.load(RBP, argument(LAST));
            int none = code.jumpIfZero(RBP);
            code.loadOrZero(0, Address.of(RSI, RAX, 1), TAIL);
            code.loadOrZero(1, Address.of(R8, RAX, 1), TAIL);
            code.addVectors(0, 0, 1);
            write(code, kind, copies, false, TAIL);
            code.land(none);
        }
        code.add(RSI, argument(STRIDE));
        code.add(R9, argument(STRIDE));
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }

    /** From c + bias in register 0 on: lanes of the mask, or all. */
    private static void write(VectorAssembler code, ActivationKind kind, boolean copies, boolean drops, int mask) {
        if (copies) {
            code.storeVector(0, Address.of(R9, RAX, 1), mask);
        }
        if (kind == ActivationKind.RELU) {
            code.greater(0, ZERO, 0);
        } else if (kind == ActivationKind.GELU) {
            writeGelu(code);
        }
        if (drops) {
            code.loadMask(ALIVE, Address.of(RBX, 0));
            code.notMask(ALIVE, ALIVE);
            code.multiplyOrZero(0, 0, SCALE, ALIVE);
            code.lea(RBX, Address.of(RBX, Lanes.FLOATS / 8));
        }
        code.storeVector(0, Address.of(RSI, RAX, 1), mask);
    }

    /** Of register 0: see {@link VectorMath#gelu}. */
    private static void writeGelu(VectorAssembler code) {
        int x = 0, t = 1, low = 2, rounded = 3, p = 4;
        code.multiply(t, x, x);
        code.multiplyThenAdd(t, CUBIC, LINEAR);
        code.multiply(t, t, x);
        code.lesserUnsigned(low, t, LOWEST);
        code.addVectors(rounded, low, ROUNDING);
        code.subtractVectors(p, rounded, ROUNDING);
        code.subtractVectors(low, low, p);
        code.moveVector(p, FACTOR_5);
        for (int i = 1; i <= 5; i++) { // ends with 1
            code.multiplyThenAdd(p, low, FACTOR_5 + i);
        }
        code.shiftIntsLeft(rounded, rounded, 23);
        code.addInts(p, p, rounded);
        code.addVectors(p, p, ONE);
        code.divide(x, x, p);
        code.compareGreater(FLAT, t, LIMIT);
        code.moveWhere(x, MINUS_ZERO, FLAT);
    }
}
