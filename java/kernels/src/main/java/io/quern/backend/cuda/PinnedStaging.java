package io.quern.backend.cuda;

import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverHandle;
import io.quern.backend.ffi.NativeMemory;
import java.lang.foreign.MemorySegment;

/**
 * Two page-locked buffers through which host memory goes to and from the device: the driver copies from and to ordinary
 * memory only by stopping the caller.
 */
final class PinnedStaging implements AutoCloseable {
    private static final long BYTES = 4 << 20;
    private static final int WITHOUT_TIMING = 2;

    private final CudaDevice device;
    private final Slot[] slots = new Slot[2];
    private int next;

    /** @param address 0 until it is needed */
    private static final class Slot {
        private long address;
        private DriverHandle.Event event;
        private boolean busy;
    }

    PinnedStaging(CudaDevice device) {
        this.device = device;
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot();
        }
    }

    /** Returns when the source has been read; the device gets the bytes in the order of the stream. */
    void upload(long source, long target, long bytes) {
        for (long done = 0; done < bytes; done += BYTES) {
            long part = Math.min(BYTES, bytes - done);
            Slot slot = free();
            copy(source + done, slot.address, part);
            device.call(DriverCall.COPY_TO_DEVICE, target + done, slot.address, part, device.stream());
            device.call(DriverCall.EVENT_RECORD, slot.event, device.stream());
            slot.busy = true;
        }
    }

    /** Returns when the target holds the bytes. */
    void download(long source, long target, long bytes) {
        for (long done = 0; done < bytes; done += BYTES) {
            long part = Math.min(BYTES, bytes - done);
            Slot slot = free();
            device.call(DriverCall.COPY_TO_HOST, slot.address, source + done, part, device.stream());
            device.synchronize();
            copy(slot.address, target + done, part);
        }
    }

    private Slot free() {
        Slot slot = slots[next];
        next = (next + 1) % slots.length;
        if (slot.event == null) {
            slot.event = device.create(DriverHandle.Event::new, DriverCall.EVENT_CREATE, WITHOUT_TIMING);
        }
        if (slot.address == 0) {
            slot.address = device.create(DriverCall.HOST_ALLOCATE, BYTES, 0);
        }
        if (slot.busy) {
            device.call(DriverCall.EVENT_SYNCHRONIZE, slot.event);
            slot.busy = false;
        }
        return slot;
    }

    private static void copy(long source, long target, long bytes) {
        MemorySegment.copy(NativeMemory.ALL, source, NativeMemory.ALL, target, bytes);
    }

    @Override
    public void close() {
        for (Slot slot : slots) {
            if (slot.event != null) {
                device.release(DriverCall.EVENT_SYNCHRONIZE, slot.event);
                device.release(DriverCall.EVENT_DESTROY, slot.event);
                slot.event = null;
            }
            if (slot.address != 0) {
                device.release(DriverCall.HOST_FREE, slot.address);
                slot.address = 0;
            }
        }
    }
}
