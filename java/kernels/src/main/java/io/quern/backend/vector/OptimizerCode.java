package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.util.function.Consumer;

/**
 * The loop of an optimizer's step as machine code, for x86-64 with AVX-512: parameters and up to three streams beside them, a vector of
 * each at a time, in place.
 *
 * <p>rax, rcx, rdx and rsi are the streams, rbx the offset in them, rbp the vectors that are left. Vector registers 0 to 7 are free; the
 * step's constants are in those from {@link #CONSTANT} on.
 */
final class OptimizerCode {
    /** Vectors of a call: some microseconds, see {@link MachineCode#brief}. */
    private static final int MOST = 1024;

    private static final int MAX_STREAMS = 4, MAX_CONSTANTS = 8;
    /** Vector register of the first constant. */
    static final int CONSTANT = 8;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int STREAMS = 0, COUNT = 8 * MAX_STREAMS, CONSTANTS = COUNT + 8;

    private static final int ARGUMENT = CONSTANTS + 4 * MAX_CONSTANTS;
    private static final int[] BASES = {RAX, RCX, RDX, RSI};
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private final int streams;
    private final int constants;
    private final LazyCode code;

    /** @param step writes the instructions for a vector of each of the streams, which are {@link #stream} */
    OptimizerCode(int streams, int constants, Consumer<VectorAssembler> step) {
        this.streams = streams;
        this.constants = constants;
        code = new LazyCode(() -> make(step));
    }

    /** A vector of the stream of that number. */
    static Address stream(int index) {
        return Address.of(BASES[index], RBX, 1);
    }

    /**
     * As many of {@code count} elements as are whole vectors, or none where there is no such code.
     *
     * @param constants in their order
     * @param streams addresses of the first element in each, in their order
     * @return how many these were
     */
    int run(int count, float[] constants, long... streams) {
        MachineCode code = this.code.get();
        if (code == null) {
            return 0;
        }
        long argument = ARGUMENTS.address(ARGUMENT);
        for (int i = 0; i < constants.length; i++) {
            setInt(argument + CONSTANTS + 4L * i, Float.floatToRawIntBits(constants[i]));
        }
        int vectors = count / Lanes.FLOATS;
        for (int from = 0; from < vectors; from += MOST) {
            for (int i = 0; i < streams.length; i++) {
                set(argument + STREAMS + 8L * i, streams[i] + (long) from * Lanes.BYTES);
            }
            set(argument + COUNT, Math.min(MOST, vectors - from));
            code.run(argument, 0, 0, 0, 0, 0);
        }
        return vectors * Lanes.FLOATS;
    }

    private MachineCode make(Consumer<VectorAssembler> step) {
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP);
        for (int i = 0; i < streams; i++) {
            code.load(BASES[i], argument(STREAMS + 8 * i));
        }
        for (int i = 0; i < constants; i++) {
            code.broadcast(CONSTANT + i, argument(CONSTANTS + 4 * i));
        }
        code.clear(RBX);
        code.loop(argument(COUNT), () -> {
            step.accept(code);
            code.lea(RBX, Address.of(RBX, Lanes.BYTES));
        });
        code.pop(RBP, RBX);
        code.end();
        return code.brief();
    }
}
