package io.quern.backend.cuda;

import io.quern.backend.ffi.CudaDriver;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.LaunchLayout;
import io.quern.op.Op;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Packs the arguments of one launch after the other in the same memory and hands them to the driver. */
final class Launch implements AutoCloseable {
    private static final int MAX_ARGUMENTS = 64;
    private static final int SLOT = 8;

    private final CudaDevice device;
    private final CudaDriver driver;
    private final boolean waits;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment config = arena.allocate(LaunchLayout.CONFIG_BYTES, 8);
    private final MemorySegment values = arena.allocate((long) MAX_ARGUMENTS * SLOT, TensorMaps.ALIGNMENT);
    private final MemorySegment pointers = arena.allocate((long) MAX_ARGUMENTS * SLOT, 8);
    private CudaKernel kernel;
    private int count;
    private int used;

    /** @param waits true to wait for each launch, so that a failing one is found */
    Launch(CudaDevice device, boolean waits) {
        this.device = device;
        this.driver = device.driver();
        this.waits = waits;
        config.set(ValueLayout.JAVA_LONG, LaunchLayout.CONFIG_STREAM, device.stream());
    }

    Launch begin(CudaKernel next) {
        kernel = next;
        count = 0;
        used = 0;
        return this;
    }

    /** Place of the next argument. */
    private long next(int bytes) {
        int offset = used;
        used += Math.ceilDiv(bytes, SLOT) * SLOT;
        pointers.setAtIndex(ValueLayout.JAVA_LONG, count++, values.address() + offset);
        return offset;
    }

    /** The address of a tensor; 0 for null. */
    Launch tensor(Tensor tensor) {
        return i64(tensor == null ? 0 : tensor.address());
    }

    Launch i64(long value) {
        values.set(ValueLayout.JAVA_LONG, next(Long.BYTES), value);
        return this;
    }

    Launch i32(int value) {
        values.set(ValueLayout.JAVA_INT, next(Integer.BYTES), value);
        return this;
    }

    Launch f32(double value) {
        values.set(ValueLayout.JAVA_FLOAT, next(Float.BYTES), (float) value);
        return this;
    }

    Launch f64(double value) {
        values.set(ValueLayout.JAVA_DOUBLE, next(Double.BYTES), value);
        return this;
    }

    /** RngKey of philox.cuh: seed, stream, step. */
    Launch rng(Rng rng) {
        long at = next(2 * Long.BYTES);
        values.set(ValueLayout.JAVA_LONG, at, rng.seed());
        values.set(ValueLayout.JAVA_INT, at + 8, rng.stream());
        values.set(ValueLayout.JAVA_INT, at + 12, rng.step());
        return this;
    }

    /** A structure by value, as 64-bit words. */
    Launch words(long... words) {
        long at = next(words.length * Long.BYTES);
        for (int i = 0; i < words.length; i++) {
            values.set(ValueLayout.JAVA_LONG, at + 8L * i, words[i]);
        }
        return this;
    }

    /** Where the kernel writes the first index outside a table of so many rows: {@link IndexFaults}. */
    Launch fault(Op<?> op, long rows) {
        return i64(device.faults().slot(op.name(), rows));
    }

    /** Two 32-bit members of a structure as one word. */
    static long pair(int low, int high) {
        return low & 0xffffffffL | (long) high << 32;
    }

    /** A tensor map of {@link TensorMaps}; in front of other arguments, since it is aligned. */
    Launch map(long... map) {
        if (used % TensorMaps.ALIGNMENT != 0) {
            throw new IllegalStateException("a tensor map at byte " + used + " of the arguments");
        }
        return words(map);
    }

    Launch flag(boolean value) {
        return i32(value ? 1 : 0);
    }

    /** Launches with enough blocks of the given size for one thread per item, or per so many items. Nothing for none. */
    void cover(long items, int block, int itemsPerThread) {
        long perBlock = (long) block * itemsPerThread;
        run((items + perBlock - 1) / perBlock, 1, 1, block, 0);
    }

    /** Launches with the given grid and threads per block; an empty grid is no launch. */
    void run(long gridX, long gridY, long gridZ, int block, int sharedBytes) {
        run(gridX, gridY, gridZ, block, 1, sharedBytes);
    }

    /** The same with a block of two axes. */
    void run(long gridX, long gridY, long gridZ, int blockX, int blockY, int sharedBytes) {
        if (gridX == 0 || gridY == 0 || gridZ == 0) {
            return;
        }
        int x = Math.toIntExact(gridX);
        int y = Math.toIntExact(gridY);
        int z = Math.toIntExact(gridZ);
        device.ready();
        extents(LaunchLayout.CONFIG_GRID, x, y, z);
        extents(LaunchLayout.CONFIG_BLOCK, blockX, blockY, 1);
        config.set(ValueLayout.JAVA_INT, LaunchLayout.CONFIG_SHARED, sharedBytes);
        long function = kernel.function();
        device.log().add(kernel.name(), x, y, z, blockX * blockY);
        device.check(DriverCall.LAUNCH, driver.launch(config, function, pointers));
        if (waits) {
            device.synchronize();
        }
    }

    private void extents(int offset, int x, int y, int z) {
        config.set(ValueLayout.JAVA_INT, offset, x);
        config.set(ValueLayout.JAVA_INT, offset + 4, y);
        config.set(ValueLayout.JAVA_INT, offset + 8, z);
    }

    @Override
    public void close() {
        arena.close();
    }
}
