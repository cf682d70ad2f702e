package io.quern.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * The memory of one step: a bump region that {@link #reset} empties at once.
 *
 * <p>The first step may need several blocks; the next reset replaces them by one block of the high-water mark, so a
 * loop of equal steps allocates nothing and sees the same addresses each time. Tensors of an earlier step throw
 * {@link ClosedException} when touched. Not thread-safe: one workspace belongs to one training loop.
 */
public final class Workspace implements AutoCloseable {
    private static final long FIRST_BLOCK = 1 << 20;

    private final Memory memory;
    private final List<Storage> blocks = new ArrayList<>();
    private long offset;
    private long inUse;
    private long highWater;
    private long generation;
    private boolean closed;

    public Workspace(Memory memory) {
        this.memory = memory;
    }

    /** A tensor of this step, with unspecified contents. */
    public Tensor allocate(DType dtype, Shape shape) {
        if (closed) {
            throw new ClosedException("workspace was used after close");
        }
        long bytes = Tensor.byteSize(dtype, shape);
        if (bytes > Long.MAX_VALUE - Memory.ALIGNMENT - inUse) {
            throw new ArgumentException("shape " + shape + " of " + dtype + " exceeds the address range");
        }
        long padded = Math.max(Memory.ALIGNMENT, (bytes + Memory.ALIGNMENT - 1) & -Memory.ALIGNMENT);
        if (blocks.isEmpty() || offset + padded > blocks.getLast().byteSize()) {
            blocks.add(memory.allocate(Math.max(padded, Math.max(FIRST_BLOCK, inUse / 4))));
            offset = 0;
        }
        long address = blocks.getLast().address() + offset;
        offset += padded;
        inUse += padded;
        highWater = Math.max(highWater, inUse);
        return Tensor.over(new Region(address, bytes, generation), dtype, shape);
    }

    /** Ends the step: every tensor allocated since the last reset becomes invalid. */
    public void reset() {
        generation++;
        offset = 0;
        inUse = 0;
        if (blocks.size() > 1) {
            blocks.forEach(Storage::close);
            blocks.clear();
            blocks.add(memory.allocate(highWater));
        }
    }

    /** A place to go back to by {@link #rewind}. */
    public Mark mark() {
        return new Mark(blocks.size(), offset, inUse);
    }

    /**
     * Gives back what was allocated since the mark, for a second try at the same step: its tensors must not be used any
     * more. Does nothing when the workspace has grown since; the next reset then makes room for both tries.
     */
    public void rewind(Mark mark) {
        if (blocks.size() == mark.blocks) {
            offset = mark.offset;
            inUse = mark.inUse;
        }
    }

    /** Bytes handed out since the last reset. */
    public long bytesInUse() {
        return inUse;
    }

    /** The most bytes that were in use at any time. */
    public long highWaterMark() {
        return highWater;
    }

    /** Bytes held from the memory below. */
    public long bytesReserved() {
        return blocks.stream().mapToLong(Storage::byteSize).sum();
    }

    @Override
    public void close() {
        closed = true;
        generation++;
        blocks.forEach(Storage::close);
        blocks.clear();
    }

    /** Where a workspace was. */
    public static final class Mark {
        private final int blocks;
        private final long offset;
        private final long inUse;

        private Mark(int blocks, long offset, long inUse) {
            this.blocks = blocks;
            this.offset = offset;
            this.inUse = inUse;
        }
    }

    private final class Region implements Storage {
        private final long address;
        private final long bytes;
        private final long born;

        Region(long address, long bytes, long born) {
            this.address = address;
            this.bytes = bytes;
            this.born = born;
        }

        @Override
        public long address() {
            if (born != generation) {
                throw new ClosedException("a tensor of an earlier step was used after its workspace was "
                        + (closed ? "closed" : "reset"));
            }
            return address;
        }

        @Override
        public long byteSize() {
            return bytes;
        }

        @Override
        public Memory memory() {
            return memory;
        }

        @Override
        public boolean isOpen() {
            return born == generation;
        }

        @Override
        public void close() {}
    }
}
