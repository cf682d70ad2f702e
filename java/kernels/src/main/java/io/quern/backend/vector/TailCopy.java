package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.MemorySegment;

/**
 * The last, partial vectors of several arrays, copied to whole vectors of this thread's scratch, so that a kernel with
 * many streams has one loop and needs no masks.
 */
final class TailCopy {
    /** Bytes between the slots: a vector and room for other widths. */
    private static final int STRIDE = 256;

    private final long scratch = ThreadBuffer.address();
    private final int count;

    /** @param count elements of the partial vectors, less than {@link Lanes#FLOATS} */
    TailCopy(int count) {
        this.count = count;
    }

    /** Fills a slot from memory and gives its address; the lanes behind {@code count} are unspecified. */
    long read(int slot, long source) {
        long address = scratch + (long) slot * STRIDE;
        MemorySegment.copy(ALL, source, ALL, address, 4L * count);
        return address;
    }

    void write(int slot, long target) {
        MemorySegment.copy(ALL, scratch + (long) slot * STRIDE, ALL, target, 4L * count);
    }
}
