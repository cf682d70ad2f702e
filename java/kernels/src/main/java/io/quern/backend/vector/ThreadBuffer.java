package io.quern.backend.vector;

import io.quern.tensor.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A few KiB of off-heap memory per thread, for values between two loops of one kernel. Contents last for one block. */
final class ThreadBuffer {
    static final int BYTES = 1 << 13;

    private static final ThreadLocal<MemorySegment> SEGMENT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(BYTES, Memory.ALIGNMENT));

    private ThreadBuffer() {}

    /** Address of this thread's {@link #BYTES} bytes, valid while the thread lives. */
    static long address() {
        return SEGMENT.get().address();
    }
}
