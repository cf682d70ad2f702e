package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.backend.ffi.MachineCode;
import io.quern.tensor.ArgumentException;
import java.util.function.Consumer;

/**
 * A kernel's loop as {@link StreamAssembler machine code}: it needs no compiler, and where no cache would keep the result, its stores pass
 * by them: an ordinary store to memory beyond them reads the line first. The same bits as the kernel's loop in Java, which does the
 * rest of a block, and everything where there is no such code.
 */
final class StreamCode {
    /** Bytes of a result, or of that and what is read for it, from which on it is left out of the caches: about what they hold. Tests set it. */
    static long least = 32 << 20;

    private final int elementY;
    private final int elementA;
    private final int lanes;
    private final int factors;
    /** The second for calls of one block. */
    private final LazyCode streamed, stored;

    private StreamCode(int elementY, int elementA, int factors, Consumer<StreamAssembler> step) {
        this.elementY = elementY;
        this.elementA = elementA;
        lanes = StreamAssembler.lanes(elementY, elementA);
        this.factors = factors;
        streamed = new LazyCode(() -> MachineCode.of(StreamAssembler.loop(elementY, elementA, factors, true, step))
                .orElse(null));
        stored = new LazyCode(() -> MachineCode.brief(StreamAssembler.loop(elementY, elementA, factors, false, step))
                .orElse(null));
    }

    /**
     * Whether a result is better left out of the caches.
     *
     * @param bytes of it, or of it and what is read for it
     * @param y where it begins: whole cache lines are written
     */
    static boolean passesBy(long bytes, long y) {
        return bytes >= least && y % Lanes.LINE == 0;
    }

    /** Whether what the Vector API cannot express is wanted. */
    static boolean asked() {
        String value = System.getProperty("quern.vector.streaming", "true");
        if (!value.equals("true") && !value.equals("false")) {
            throw new ArgumentException("quern.vector.streaming is " + value + ", expected true or false");
        }
        return value.equals("true");
    }

    /** Of floats. */
    static StreamCode of(Consumer<StreamAssembler> step) {
        return new StreamCode(4, 4, 0, step);
    }

    /** @param elementY, elementA bytes of an element of y and of a */
    static StreamCode of(int elementY, int elementA, Consumer<StreamAssembler> step) {
        return new StreamCode(elementY, elementA, 0, step);
    }

    /** Of floats, under factors that repeat: see {@link #repeat}. */
    static StreamCode withFactors(int factors, Consumer<StreamAssembler> step) {
        return new StreamCode(4, 4, factors, step);
    }

    /**
     * y in blocks: by this code the part that is whole vectors and by {@code body} the rest, or all by {@code body}.
     *
     * @param elements of y
     * @param a, b inputs; 0 where the code has none; y may be one of them
     */
    void run(WorkerPool pool, Ranges.Body body, long elements, long y, long a, long b, float first) {
        run(pool, body, elements, y, a, b, Float.floatToRawIntBits(first), 0);
    }

    /** @param first, second bits of the constants */
    void run(WorkerPool pool, Ranges.Body body, long elements, long y, long a, long b, int first, int second) {
        boolean past = passes(elements, y, a, b);
        MachineCode code = elements < lanes ? null : code(past);
        if (code == null) {
            Ranges.run(pool, elements, body);
            return;
        }
        long constants = (long) second << 32 | first & 0xffffffffL;
        Ranges.Body whole = (from, count) -> {
            int most = count & -lanes;
            call(code, y + elementY * from, a + elementA * from, b + elementA * from, most, 1, constants);
            if (most < count) {
                body.run(from + most, count - most);
            }
        };
        if (past) {
            Ranges.shares(pool, elements, whole);
        } else {
            Ranges.run(pool, elements, whole);
        }
    }

    /**
     * The same with factors for {@code period} elements that repeat, in blocks of whole periods.
     *
     * @param period see {@link #repeats}
     * @param factors one for each element of a period, or the vectors of four in turn
     */
    void repeat(
            WorkerPool pool, ChannelRows.Body body, long elements, int period, long y, long a, long b, long factors) {
        boolean past = passes(elements, y, a, b);
        MachineCode code = code(past);
        ChannelRows.shares(pool, elements, period, past ? Ranges.SHARE : 1, (from, count) -> {
            int most = count - count % period;
            call(code, y + 4 * from, a + 4 * from, b + 4 * from, period, most / period, factors);
            if (most < count) {
                body.run(from + most, count - most);
            }
        });
    }

    /** Writes vectors of up to four factors, {@code bytes} each and apart, in turn. */
    static void inTurn(long factors, int count, long bytes, long to) {
        for (int i = 0; i < count; i++) {
            for (long at = 0; at < bytes; at += Lanes.LINE) {
                Copies.copy(factors + i * bytes + at, to + 4 * at + i * Lanes.LINE, Lanes.LINE);
            }
        }
    }

    /** True if {@link #repeat} can be called, and is worth it: for a period at least, and one that a block holds. */
    boolean repeats(long elements, int period, long y, long a, long b) {
        boolean past = passes(elements, y, a, b);
        return period > 0
                && period % lanes == 0
                && elements >= period
                && (past || period <= Ranges.BLOCK)
                && code(past) != null;
    }

    /** Whether y passes by the caches. */
    private boolean passes(long elements, long y, long a, long b) {
        return y != a && y != b && passesBy(elements * elementY, y);
    }

    /** Null where there is none. */
    private MachineCode code(boolean past) {
        return (past ? streamed : stored).get();
    }

    /** @param y where the code's stores may go, see {@link #passes} */
    private void call(MachineCode code, long y, long a, long b, int count, int times, long constants) {
        if (count > 0 && times > 0) {
            code.run(y, a, b, (long) count * Math.min(elementY, elementA), constants, times);
        }
    }
}
