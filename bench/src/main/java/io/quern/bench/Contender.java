package io.quern.bench;

/** One implementation of an op on fixed arguments, ready to be timed. */
public interface Contender extends AutoCloseable {
    /** One call. */
    void run();

    /** Brings the last result into the shared tensors, where a contender keeps its own layout; not timed. */
    default void publish() {}

    @Override
    default void close() {}
}
