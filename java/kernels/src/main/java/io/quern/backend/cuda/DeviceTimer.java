package io.quern.backend.cuda;

import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverHandle;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Times work by two events of the device's stream. One thread; close it. */
public final class DeviceTimer implements AutoCloseable {
    private static final int WITH_TIMING = 0;

    private final CudaDevice device;
    private DriverHandle.Event start;
    private DriverHandle.Event end;

    DeviceTimer(CudaDevice device) {
        this.device = device;
        try {
            start = device.create(DriverHandle.Event::new, DriverCall.EVENT_CREATE, WITH_TIMING);
            end = device.create(DriverHandle.Event::new, DriverCall.EVENT_CREATE, WITH_TIMING);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Seconds from when the device could begin with what the work queues to when it is done; waits for it. */
    public double seconds(Runnable work) {
        device.call(DriverCall.EVENT_RECORD, start, device.stream());
        work.run();
        device.call(DriverCall.EVENT_RECORD, end, device.stream());
        device.call(DriverCall.EVENT_SYNCHRONIZE, end);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment milliseconds = arena.allocate(ValueLayout.JAVA_FLOAT);
            device.call(DriverCall.EVENT_ELAPSED, milliseconds, start, end);
            return milliseconds.get(ValueLayout.JAVA_FLOAT, 0) * 1e-3;
        }
    }

    @Override
    public void close() {
        for (DriverHandle.Event event : new DriverHandle.Event[] {start, end}) {
            if (event != null) {
                device.release(DriverCall.EVENT_DESTROY, event);
            }
        }
        start = null;
        end = null;
    }
}
