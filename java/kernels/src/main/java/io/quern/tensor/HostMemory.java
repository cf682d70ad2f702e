package io.quern.tensor;

import io.quern.backend.ffi.HugePages;
import io.quern.backend.ffi.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Off-heap host memory. A block is of huge pages, or has a shared arena of its own: in both cases any thread may use and
 * close it.
 */
final class HostMemory implements Memory {
    static final HostMemory INSTANCE = new HostMemory();

    /** From this sum of allocated bytes on, the time that huge pages save exceeds what linking their calls costs. */
    private static final long MUCH = 32 << 20;

    /**
     * Blocks of at least this many bytes begin on a page: of blocks that do not, one may lie some lines behind another within a page,
     * and then a kernel that reads the one and writes the other has loads that wait for stores to other memory, since a core compares
     * the lower twelve bits of addresses first (bench/lab/streams.md, trial 37).
     */
    private static final long PAGED = 16 << 10, PAGE = 4096;

    private final AtomicLong liveBytes = new AtomicLong();
    private final AtomicLong peakBytes = new AtomicLong();
    private final AtomicLong liveBlocks = new AtomicLong();
    private final AtomicLong everAllocated = new AtomicLong();

    private HostMemory() {}

    @Override
    public String name() {
        return "host";
    }

    @Override
    public Storage allocate(long bytes) {
        if (bytes < 0) {
            throw new ArgumentException("cannot allocate " + bytes + " bytes");
        }
        return new Block(bytes);
    }

    @Override
    public long liveBytes() {
        return liveBytes.get();
    }

    long peakBytes() {
        return peakBytes.get();
    }

    @Override
    public long liveBlocks() {
        return liveBlocks.get();
    }

    @Override
    public void copyFromHost(long source, long target, long bytes) {
        copyWithin(source, target, bytes);
    }

    @Override
    public void copyToHost(long source, long target, long bytes) {
        copyWithin(source, target, bytes);
    }

    @Override
    public void copyWithin(long source, long target, long bytes) {
        MemorySegment.copy(NativeMemory.ALL, source, NativeMemory.ALL, target, bytes);
    }

    private final class Block implements Storage {
        /** Null for a block of huge pages. */
        private final Arena arena;

        private final AtomicBoolean open = new AtomicBoolean(true);
        private final long address;
        private final long bytes;

        Block(long bytes) {
            this.bytes = bytes;
            boolean much = everAllocated.addAndGet(bytes) >= MUCH;
            long huge = much && bytes >= HugePages.SIZE ? HugePages.map(bytes) : 0;
            arena = huge == 0 ? Arena.ofShared() : null;
            address = huge == 0 ? allocate(arena, bytes) : huge;
            peakBytes.accumulateAndGet(liveBytes.addAndGet(bytes), Math::max);
            liveBlocks.incrementAndGet();
        }

        private long allocate(Arena arena, long bytes) {
            try {
                long alignment = bytes >= PAGED ? PAGE : ALIGNMENT;
                return arena.allocate(Math.max(ALIGNMENT, bytes), alignment).address();
            } catch (OutOfMemoryError e) {
                arena.close();
                throw new QuernException(
                        "out of host memory: " + bytes + " bytes requested, " + liveBytes.get()
                                + " bytes in use by tensors; use a smaller batch or a smaller model",
                        e);
            }
        }

        @Override
        public long address() {
            if (!open.getPlain()) {
                throw new ClosedException("tensor memory of " + bytes + " bytes was used after close");
            }
            return address;
        }

        @Override
        public long byteSize() {
            return bytes;
        }

        @Override
        public Memory memory() {
            return HostMemory.this;
        }

        @Override
        public boolean isOpen() {
            return open.get();
        }

        @Override
        public void close() {
            if (open.compareAndSet(true, false)) {
                liveBytes.addAndGet(-bytes);
                liveBlocks.decrementAndGet();
                if (arena == null) {
                    HugePages.unmap(address, bytes);
                } else {
                    arena.close();
                }
            }
        }
    }
}
