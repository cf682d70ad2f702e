package io.quern.backend.cuda;

import io.quern.tensor.Memory;
import io.quern.tensor.Storage;

/**
 * Device memory for partial results within one op, the largest that was asked for so far. Ops run in order, so one piece
 * serves all; what it held is gone with the next op.
 */
final class DeviceScratch implements AutoCloseable {
    private static final long LEAST = 1 << 16;

    private final Memory memory;
    private Storage storage;

    DeviceScratch(Memory memory) {
        this.memory = memory;
    }

    /** Address of at least so many bytes, aligned to 64, with unspecified contents. */
    long bytes(long bytes) {
        if (storage == null || storage.byteSize() < bytes) {
            long size = Math.max(LEAST, Long.highestOneBit(bytes) * 2);
            Storage larger = memory.allocate(size);
            close();
            storage = larger;
        }
        return storage.address();
    }

    /** Address of so many doubles. */
    long doubles(long count) {
        return bytes(count * Double.BYTES);
    }

    /** Where it is now; 0 before it is asked for. What is captured with one address must not run with another. */
    long address() {
        return storage == null ? 0 : storage.address();
    }

    @Override
    public void close() {
        if (storage != null) {
            storage.close();
            storage = null;
        }
    }
}
