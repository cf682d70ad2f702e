package io.quern.backend.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Per-thread memory that grows and is kept until its backend or its thread is garbage. */
final class ThreadScratch implements Scratch {
    private static final int PAGE = 4096;

    private final ThreadLocal<MemorySegment> regions = ThreadLocal.withInitial(() -> allocate(PAGE));

    private static MemorySegment allocate(long bytes) {
        return Arena.ofAuto().allocate(bytes, PAGE);
    }

    @Override
    public long address(long bytes) {
        MemorySegment region = regions.get();
        if (region.byteSize() < bytes) {
            region = allocate(Math.max(bytes, 2 * region.byteSize()));
            regions.set(region);
        }
        return region.address();
    }
}
