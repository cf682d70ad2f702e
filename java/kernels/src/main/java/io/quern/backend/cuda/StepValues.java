package io.quern.backend.cuda;

import io.quern.tensor.Memory;
import io.quern.tensor.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The numbers that captured steps read from device memory: the step's number, then four floats per optimizer op. */
final class StepValues implements AutoCloseable {
    private static final int BYTES = 4096;
    private static final int FIRST = 16;
    private static final int ENTRY = 4 * Float.BYTES;
    /** Most optimizer ops of a step. */
    static final int CAPACITY = (BYTES - FIRST) / ENTRY;

    private final Memory memory;
    /** Collected with this object: to close a shared arena is a handshake with every thread. */
    private final MemorySegment host = Arena.ofAuto().allocate(BYTES, 16);

    private Storage device;

    StepValues(Memory memory) {
        this.memory = memory;
    }

    /** Device memory is taken by the first step that needs it. */
    void open() {
        if (device == null) {
            device = memory.allocate(BYTES);
        }
    }

    /** Where the step's number lies. */
    long number() {
        return device.address();
    }

    /** Where the numbers of an optimizer op lie. */
    long entry(int index) {
        return device.address() + FIRST + (long) index * ENTRY;
    }

    /** Queues the numbers of a step, in front of its launch. */
    void write(int number, List<float[]> changes) {
        host.set(ValueLayout.JAVA_INT, 0, number);
        long at = FIRST;
        for (float[] values : changes) {
            MemorySegment.copy(values, 0, host, ValueLayout.JAVA_FLOAT, at, values.length);
            at += ENTRY;
        }
        memory.copyFromHost(host.address(), device.address(), at);
    }

    @Override
    public void close() {
        if (device != null) {
            device.close();
            device = null;
        }
    }
}
