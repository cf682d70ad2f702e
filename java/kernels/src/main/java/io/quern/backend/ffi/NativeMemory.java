package io.quern.backend.ffi;

import java.lang.foreign.MemorySegment;

/**
 * All memory as one segment, addressed by absolute addresses.
 *
 * <p>Its scope is global and its length constant, so the compiler folds the liveness and bounds checks that would
 * otherwise stand in every inner loop. What is lost is checked before a kernel starts: {@code Tensor.address} tests
 * liveness, every op's Args test extents, and the conformance harness puts guard zones around every buffer.
 */
public final class NativeMemory {
    @SuppressWarnings("restricted")
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private NativeMemory() {}
}
