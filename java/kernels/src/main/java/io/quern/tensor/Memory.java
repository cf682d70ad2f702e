package io.quern.tensor;

/** A place that tensors can live in: host memory today, a device's memory with its backend. */
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

    static Memory host() {
        return HostMemory.INSTANCE;
    }

    /** The most bytes of host memory that were ever live at once. */
    static long hostPeakBytes() {
        return HostMemory.INSTANCE.peakBytes();
    }
}
