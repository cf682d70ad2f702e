package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.backend.ffi.MachineCode;
import io.quern.tensor.ArgumentException;
import java.util.function.Consumer;

/**
 * A kernel's loop as {@link StreamAssembler machine code} whose stores pass by the caches: an ordinary store to memory beyond
 * them reads the line first. For results that no cache would keep anyway; the same bits as the kernel's loop in Java, which
 * does the rest of a block, all smaller results, and everything where there is no such code.
 */
final class StreamCode {
    /** Bytes of a result, or of that and what is read for it, from which on it is left out of the caches: about what they hold. Tests set it. */
    static long least = 32 << 20;

    /** True unless switched off, or vectors are not of 512 bits. */
    private static final boolean ON = VectorAssembler.isWanted();

    /** Another machine or system, or one that does not execute what was written: known from the first loop on. */
    private static volatile boolean refused = !ON;

    private final int elementY;
    private final int elementA;
    private final int lanes;
    private final int factors;
    private final Consumer<StreamAssembler> step;
    private volatile MachineCode code;

    private StreamCode(int elementY, int elementA, int factors, Consumer<StreamAssembler> step) {
        this.elementY = elementY;
        this.elementA = elementA;
        lanes = StreamAssembler.lanes(elementY, elementA);
        this.factors = factors;
        this.step = step;
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
     * @param a, b inputs; 0 where the code has none
     */
    void run(WorkerPool pool, Ranges.Body body, long elements, long y, long a, long b, float first) {
        run(pool, body, elements, y, a, b, Float.floatToRawIntBits(first), 0);
    }

    /** @param first, second bits of the constants */
    void run(WorkerPool pool, Ranges.Body body, long elements, long y, long a, long b, int first, int second) {
        if (y == a || y == b || !serves(elements, y)) {
            Ranges.run(pool, elements, body);
            return;
        }
        long constants = (long) second << 32 | first & 0xffffffffL;
        Ranges.shares(pool, elements, (from, count) -> {
            int whole = count & -lanes;
            call(y + elementY * from, a + elementA * from, b + elementA * from, whole, 1, constants);
            if (whole < count) {
                body.run(from + whole, count - whole);
            }
        });
    }

    /**
     * The same with factors for {@code period} elements that repeat, in blocks of whole periods.
     *
     * @param period see {@link #repeats}
     * @param factors one for each element of a period, or the vectors of four in turn
     */
    void repeat(
            WorkerPool pool, ChannelRows.Body body, long elements, int period, long y, long a, long b, long factors) {
        ChannelRows.shares(pool, elements, period, (from, count) -> {
            int whole = count - count % period;
            call(y + 4 * from, a + 4 * from, b + 4 * from, period, whole / period, factors);
            if (whole < count) {
                body.run(from + whole, count - whole);
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

    /** True if {@link #repeat} can be called. */
    boolean repeats(long elements, int period, long y, long a, long b) {
        return y != a && y != b && period > 0 && period % lanes == 0 && serves(elements, y);
    }

    private boolean serves(long elements, long y) {
        return passesBy(elements * elementY, y) && ready();
    }

    /** Makes the code when first asked. False on a machine, system or JVM that has none. */
    boolean ready() {
        if (code == null && !refused) {
            // twice at worst, if two callers are first
            MachineCode.of(StreamAssembler.loop(elementY, elementA, factors, step))
                    .ifPresentOrElse(made -> code = made, () -> refused = true);
        }
        return code != null;
    }

    /** @param y on a cache line, or half of one where its elements are narrower than a's */
    private void call(long y, long a, long b, int count, int times, long constants) {
        if (count == 0 || times == 0) {
            return;
        }
        code.run(y, a, b, (long) count * Math.min(elementY, elementA), constants, times);
    }
}
