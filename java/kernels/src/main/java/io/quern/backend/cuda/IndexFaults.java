package io.quern.backend.cuda;

import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.NativeMemory;
import io.quern.op.Embedding;
import io.quern.tensor.ArgumentException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Indices outside a table, which kernels find but cannot throw: they write the first position and its index to page-locked
 * memory, and the next wait for the device throws what the host's kernels throw at once. Costs nothing where all is well,
 * also in a graph that is replayed.
 */
final class IndexFaults implements AutoCloseable {
    private static final int SLOTS = 64;
    /** No fault: more than any position. */
    private static final long NONE = -1;

    private final CudaDevice device;
    private final List<Kind> kinds = new ArrayList<>();
    private long address;

    /** What a slot is about. */
    private record Kind(String op, long rows) {}

    IndexFaults(CudaDevice device) {
        this.device = device;
    }

    /** The address where a kernel of that op, with a table of so many rows, writes min(position << 32 | index). */
    long slot(String op, long rows) {
        if (address == 0) {
            if (device.trace() != null) {
                device.trace().setUp("memory for faults is allocated");
            }
            address = device.create(DriverCall.HOST_ALLOCATE, (long) SLOTS * Long.BYTES, 0);
            for (int i = 0; i < SLOTS; i++) {
                set(i, NONE);
            }
        }
        Kind kind = new Kind(op, rows);
        int slot = kinds.indexOf(kind);
        if (slot < 0) {
            // so many sizes of tables share the last slot, and an error names the latest one
            slot = Math.min(kinds.size(), SLOTS - 1);
            if (slot < kinds.size()) {
                kinds.set(slot, kind);
            } else {
                kinds.add(kind);
            }
        }
        return address + (long) slot * Long.BYTES;
    }

    /**
     * To be called when the device has nothing left to do.
     *
     * @throws ArgumentException for an index outside its table since the last call
     */
    void check() {
        ArgumentException found = null;
        for (int i = 0; i < kinds.size(); i++) {
            long fault = NativeMemory.ALL.get(ValueLayout.JAVA_LONG, address + (long) i * Long.BYTES);
            if (fault != NONE) {
                set(i, NONE);
                Kind kind = kinds.get(i);
                ArgumentException next = Embedding.outside(kind.op, (int) fault, fault >>> Integer.SIZE, kind.rows);
                if (found == null) {
                    found = next;
                } else {
                    found.addSuppressed(next);
                }
            }
        }
        if (found != null) {
            throw found;
        }
    }

    private void set(int slot, long value) {
        NativeMemory.ALL.set(ValueLayout.JAVA_LONG, address + (long) slot * Long.BYTES, value);
    }

    @Override
    public void close() {
        if (address != 0) {
            device.release(DriverCall.HOST_FREE, address);
            address = 0;
            kinds.clear();
        }
    }
}
