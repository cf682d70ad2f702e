package io.quern.backend.cuda;

import io.quern.backend.ffi.CudaDriver;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverHandle;
import io.quern.backend.ffi.LaunchLayout;
import io.quern.op.Op;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;

/** Packs the arguments of one launch after the other in the same memory and hands them to the driver. */
final class Launch implements AutoCloseable {
    private static final int MAX_ARGUMENTS = 64;
    private static final int SLOT = 8;

    private final CudaDevice device;
    private final CudaDriver driver;
    private final boolean waits;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment config = arena.allocate(LaunchLayout.CONFIG_BYTES, 8);
    private final MemorySegment overlap = arena.allocate(LaunchLayout.ATTRIBUTE_BYTES, 8);
    private final MemorySegment values = arena.allocate((long) MAX_ARGUMENTS * SLOT, TensorMaps.ALIGNMENT);
    private final MemorySegment pointers = arena.allocate((long) MAX_ARGUMENTS * SLOT, 8);
    private final StepValues changing;
    private final BitSet skipped = new BitSet();
    private CudaKernel kernel;
    private int count;
    private int used;
    private boolean guarded;
    private long guard;

    /**
     * @param changing where captured steps find the numbers that change
     * @param waits true to wait for each launch, so that a failing one is found
     */
    Launch(CudaDevice device, StepValues changing, boolean waits) {
        this.changing = changing;
        this.device = device;
        this.driver = device.driver();
        this.waits = waits;
        config.set(
                ValueLayout.JAVA_LONG,
                LaunchLayout.CONFIG_STREAM,
                device.stream().value());
        config.set(ValueLayout.JAVA_LONG, LaunchLayout.CONFIG_ATTRIBUTES, overlap.address());
        overlap.set(ValueLayout.JAVA_INT, 0, LaunchLayout.ATTRIBUTE_OVERLAP);
        overlap.set(ValueLayout.JAVA_INT, LaunchLayout.ATTRIBUTE_VALUE, 1);
    }

    Launch begin(CudaKernel next) {
        kernel = next;
        count = 0;
        used = 0;
        guarded = false;
        skipped.clear();
        return this;
    }

    /** Place of the next argument; what it leaves of its last slot is zero, so that equal arguments are equal bytes. */
    private long next(int bytes) {
        int offset = used;
        used += Math.ceilDiv(bytes, SLOT) * SLOT;
        values.set(ValueLayout.JAVA_LONG, used - SLOT, 0);
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

    /**
     * Two arguments: the RngKey, and where its step is read from instead, or null. A generator of the step that is being
     * captured goes on with the number of each later step.
     */
    Launch generator(Rng rng) {
        StepTrace trace = device.trace();
        boolean goesOn = trace != null && trace.number() == rng.step();
        rng(rng).i64(goesOn && trace.captured() ? changing.number() : 0);
        if (goesOn) {
            skip(used - Long.BYTES - Integer.BYTES, Integer.BYTES + Long.BYTES);
        }
        return this;
    }

    /** Changing of changing.cuh: four numbers that may be others in each step. */
    Launch changing(double... numbers) {
        StepTrace trace = device.trace();
        float[] floats = new float[4];
        for (int i = 0; i < numbers.length; i++) {
            floats[i] = (float) numbers[i];
        }
        long at = next(2 * Long.BYTES + floats.length * Float.BYTES);
        int entry = trace == null ? 0 : trace.change(floats);
        values.set(ValueLayout.JAVA_LONG, at, trace != null && trace.captured() ? changing.entry(entry) : 0);
        values.set(ValueLayout.JAVA_LONG, at + 8, guard);
        MemorySegment.copy(floats, 0, values, ValueLayout.JAVA_FLOAT, at + 16, floats.length);
        skip(at, Long.BYTES);
        skip(at + 16, floats.length * Float.BYTES);
        guarded = true;
        return this;
    }

    /** Where the element lies that keeps optimizer ops from happening unless it is finite; 0 for none. */
    void guard(long address) {
        guard = address;
    }

    /** A structure by value, as 64-bit words. */
    Launch words(long... words) {
        long at = next(words.length * Long.BYTES);
        for (int i = 0; i < words.length; i++) {
            values.set(ValueLayout.JAVA_LONG, at + 8L * i, words[i]);
        }
        return this;
    }

    /** A tensor map of {@link TensorMaps}; in front of other arguments, since it is aligned. */
    Launch map(long... map) {
        if (used % TensorMaps.ALIGNMENT != 0) {
            throw new IllegalStateException("a tensor map at byte " + used + " of the arguments");
        }
        return words(map);
    }

    /** Where the kernel writes the first index outside a table of so many rows: {@link IndexFaults}. */
    Launch fault(Op<?> op, long rows) {
        return i64(device.faults().slot(op.name(), rows));
    }

    /** Two 32-bit members of a structure as one word. */
    static long pair(int low, int high) {
        return low & 0xffffffffL | (long) high << 32;
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
        StepTrace trace = device.trace();
        if (trace != null) {
            trace.launch(kernel.name(), List.of(x, y, z, blockX, blockY, sharedBytes), compared(), guarded);
            if (trace.dry()) {
                return;
            }
            if (!kernel.isLoaded()) {
                trace.setUp("kernel " + kernel.name() + " is loaded");
            }
        }
        extents(LaunchLayout.CONFIG_GRID, x, y, z);
        extents(LaunchLayout.CONFIG_BLOCK, blockX, blockY, 1);
        config.set(ValueLayout.JAVA_INT, LaunchLayout.CONFIG_SHARED, sharedBytes);
        DriverHandle.Function function = kernel.function();
        config.set(ValueLayout.JAVA_INT, LaunchLayout.CONFIG_ATTRIBUTE_COUNT, kernel.overlaps() ? 1 : 0);
        device.log().addKernel(kernel.name(), x, y, z, blockX * blockY);
        device.check(DriverCall.LAUNCH, driver.launch(config, function, pointers));
        if (waits) {
            device.synchronize();
        }
    }

    /** Leaves bytes out of the comparison with another step. */
    private void skip(long offset, int bytes) {
        for (long i = offset; i < offset + bytes; i++) {
            skipped.set((int) i);
        }
    }

    /** The arguments, with zeros for what may change. */
    private byte[] compared() {
        byte[] bytes = values.asSlice(0, used).toArray(ValueLayout.JAVA_BYTE);
        skipped.stream().filter(i -> i < used).forEach(i -> bytes[i] = 0);
        return bytes;
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
