package io.quern.backend.vector;

/** Memory for packing, one region per thread, kept from call to call so that steady state allocates nothing. */
@FunctionalInterface
interface Scratch {
    /**
     * The calling thread's region, 64-byte aligned, of at least {@code bytes}; contents undefined. A later call of the
     * same thread may return the same memory.
     */
    long address(long bytes);
}
