package io.quern.tensor;

/** A block of memory. Closing twice is harmless; use after close is a {@link ClosedException}. */
public interface Storage extends AutoCloseable {
    /** Absolute start address; checks that the block is still open. */
    long address();

    long byteSize();

    Memory memory();

    boolean isOpen();

    @Override
    void close();
}
