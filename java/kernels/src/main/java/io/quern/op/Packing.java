package io.quern.op;

import java.util.Objects;
import java.util.function.Supplier;

/**
 * A place where a kernel keeps an operand in the layout that it likes best, for one that is the same in many calls: the
 * weights of inference. The caller promises that the elements of that operand stay as they are between calls with the same
 * packing, or calls {@link #clear} when they have changed; an operand elsewhere in memory or of other extents is noticed and
 * packed anew. Results are those of a call without it, but for the order of sums.
 *
 * <p>It is a hint: the reference, and kernels that gain nothing, leave it empty. It holds about as many bytes as the
 * operand until it is cleared or closed. Threads may share it as long as they have the same operand.
 */
public final class Packing implements AutoCloseable {
    /** What a kernel made: memory of its own. */
    public interface Packed extends AutoCloseable {
        @Override
        void close();
    }

    private Object key;
    private Packed packed;

    /**
     * For kernels: what was made for an equal key, or else what {@code pack} makes; the old one is closed then.
     *
     * @param key of everything that the layout depends on: where the operand lies, extents, strides
     */
    public synchronized <T extends Packed> T get(Object key, Class<T> type, Supplier<T> pack) {
        if (!Objects.equals(this.key, key) || !type.isInstance(packed)) {
            clear();
            packed = pack.get();
            this.key = key;
        }
        return type.cast(packed);
    }

    /** True until the first call, and after {@link #clear}. */
    public synchronized boolean isEmpty() {
        return packed == null;
    }

    /** Gives the memory back; the next call packs anew. No call that uses it may be running. */
    public synchronized void clear() {
        if (packed != null) {
            packed.close();
        }
        packed = null;
        key = null;
    }

    @Override
    public void close() {
        clear();
    }
}
