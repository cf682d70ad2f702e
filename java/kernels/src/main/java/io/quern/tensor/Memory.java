package io.quern.tensor;

/** A place that tensors can live in: host memory, or a device's memory with its backend. */
public interface Memory {
    /** Alignment of every allocation in bytes: one cache line, one 512-bit vector. */
    int ALIGNMENT = 64;

    String name();

    /** A zeroed block. The caller closes it. */
    Storage allocate(long bytes);

    /** Bytes allocated and not yet closed. */
    long liveBytes();

    /** Blocks allocated and not yet closed. */
    long liveBlocks();

    /** Copies from host memory to this one; returns when the source may change. Addresses are absolute. */
    void copyFromHost(long source, long target, long bytes);

    /** Copies from this memory to host memory, after all work that was queued before; returns when the bytes are there. */
    void copyToHost(long source, long target, long bytes);

    /** Copies within this memory. Overlapping ranges only in host memory. */
    void copyWithin(long source, long target, long bytes);

    static Memory host() {
        return HostMemory.INSTANCE;
    }

    /** The most bytes of host memory that were ever live at once. */
    static long hostPeakBytes() {
        return HostMemory.INSTANCE.peakBytes();
    }
}
