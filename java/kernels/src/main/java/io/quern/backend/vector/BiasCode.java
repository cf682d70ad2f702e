package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import io.quern.backend.vector.VectorAssembler.Address;
import io.quern.op.ActivationKind;

/** What most often follows a product, as machine code, for x86-64 with AVX-512: a bias for each column of rows, and ReLU. */
final class BiasCode {
    /** Vectors of a call at most, but for a single row: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 11;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int C = 0, ROW = 8, BIAS = 16, ROWS = 24, VECTORS = 32, LIVE = 40, ENTRY = 48, ARGUMENT = 56;

    private static final int ZERO = 1, REST = 1;
    private static int plain, relu;
    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private BiasCode() {}

    /** Whether there is such code, for this function of the sum. */
    static boolean takes(ActivationKind kind) {
        return CODE != null && (kind == ActivationKind.NONE || kind == ActivationKind.RELU);
    }

    /**
     * c = c + bias, or max(c + bias, 0), NaN staying.
     *
     * @param stride bytes from row to row
     */
    static void run(ActivationKind kind, long c, long stride, long bias, int rows, int columns) {
        long argument = ARGUMENTS.address(ARGUMENT);
        set(argument + ROW, stride);
        set(argument + ENTRY, kind == ActivationKind.RELU ? relu : plain);
        int width = WORK / 2 * Lanes.FLOATS;
        for (int j = 0; j < columns; j += width) {
            int wide = Math.min(width, columns - j), most = Math.max(1, WORK / (wide / Lanes.FLOATS + 1));
            set(argument + BIAS, bias + 4L * j);
            set(argument + VECTORS, wide / Lanes.FLOATS);
            set(argument + LIVE, (1 << wide % Lanes.FLOATS) - 1);
            for (int i = 0; i < rows; i += most) {
                set(argument + C, c + i * stride + 4L * j);
                set(argument + ROWS, Math.min(most, rows - i));
                CODE.run(argument, 0, 0, 0, 0, 0);
            }
        }
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        plain = code.here();
        write(code, false);
        relu = code.here();
        write(code, true);
        return code.brief();
    }

    /** A row from r8 on: its vectors at rax, those of the bias at rdx. */
    private static void write(VectorAssembler code, boolean relu) {
        code.push(RBP);
        code.load(R8, argument(C));
        code.loadMask(REST, argument(LIVE));
        code.zero(ZERO);
        int row = code.here();
        code.lea(RAX, Address.of(R8, 0));
        code.load(RDX, argument(BIAS));
        code.loop(argument(VECTORS), () -> {
            code.loadVector(0, Address.of(RAX, 0));
            writeVector(code, relu, 0);
            code.lea(RAX, Address.of(RAX, Lanes.BYTES));
            code.lea(RDX, Address.of(RDX, Lanes.BYTES));
        });
        code.load(RBP, argument(LIVE));
        int whole = code.jumpIfZero(RBP);
        code.loadOrZero(0, Address.of(RAX, 0), REST);
        writeVector(code, relu, REST);
        code.land(whole);
        code.add(R8, argument(ROW));
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        code.pop(RBP);
        code.end();
    }

    private static void writeVector(VectorAssembler code, boolean relu, int mask) {
        code.addVectors(0, 0, Address.of(RDX, 0), mask);
        if (relu) {
            // of zeros, and of a NaN and zero, the second operand
            code.greater(0, ZERO, 0);
        }
        code.storeVector(0, Address.of(RAX, 0), mask);
    }
}
