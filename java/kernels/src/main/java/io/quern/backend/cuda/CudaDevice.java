package io.quern.backend.cuda;

import io.quern.backend.CudaException;
import io.quern.backend.DeviceLostException;
import io.quern.backend.DeviceMemoryException;
import io.quern.backend.DeviceUnavailableException;
import io.quern.backend.ffi.CudaDriver;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverError;
import io.quern.backend.ffi.DriverHandle;
import io.quern.tensor.ClosedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongFunction;

/**
 * One GPU: its primary context, one stream on which everything runs in order, and what became of it. Used by one thread at
 * a time; any thread may be that one.
 *
 * <p>Work is asynchronous: an error of a kernel shows at a later call. The message then names the launches since the last
 * wait; with {@code -Dquern.cuda.sync=true} each launch is waited for and the one at fault is named.
 */
final class CudaDevice implements AutoCloseable {
    private final CudaDriver driver;
    private final DeviceInfo info;
    private final LaunchLog log = new LaunchLog();
    private final IndexFaults faults = new IndexFaults(this);
    private final DriverHandle.Context context;
    private final DriverHandle.Stream stream;
    private Thread current;
    private StepTrace trace;
    private DeviceLostException lost;
    private boolean closed;

    /** Opens the device with the given number. */
    CudaDevice(CudaDriver driver, int ordinal) {
        this.driver = driver;
        this.info = DeviceInfo.query(driver, ordinal);
        context = create(DriverHandle.Context::new, DriverCall.PRIMARY_CONTEXT_RETAIN, info.handle());
        try {
            makeCurrent();
            // 1: not ordered with the legacy default stream
            stream = create(DriverHandle.Stream::new, DriverCall.STREAM_CREATE, 1);
        } catch (RuntimeException e) {
            driver.call(DriverCall.PRIMARY_CONTEXT_RELEASE, info.handle());
            throw e;
        }
    }

    CudaDriver driver() {
        return driver;
    }

    DeviceInfo info() {
        return info;
    }

    /** The stream of all work. */
    DriverHandle.Stream stream() {
        return stream;
    }

    LaunchLog log() {
        return log;
    }

    /** What writes down the step that is being run; null for none. */
    StepTrace trace() {
        return trace;
    }

    void trace(StepTrace next) {
        trace = next;
    }

    IndexFaults faults() {
        return faults;
    }

    boolean isLost() {
        return lost != null;
    }

    /** Refuses at once when the device is lost or closed; makes its context the thread's. */
    void ready() {
        if (lost != null) {
            throw new DeviceLostException(lost.code(), "the device is lost since: " + lost.getMessage());
        }
        if (closed) {
            throw new ClosedException("the GPU was used after its backend was closed");
        }
        makeCurrent();
    }

    private void makeCurrent() {
        Thread thread = Thread.currentThread();
        if (current != thread) {
            check(DriverCall.CONTEXT_SET_CURRENT, driver.call(DriverCall.CONTEXT_SET_CURRENT, context));
            current = thread;
        }
    }

    /** A call that must succeed. */
    void call(DriverCall call, Object... arguments) {
        ready();
        check(call, driver.call(call, arguments));
    }

    /** A call that yields a handle in its first argument. */
    <H extends DriverHandle> H create(LongFunction<H> kind, DriverCall call, Object... arguments) {
        return kind.apply(create(call, arguments));
    }

    /** A call that yields an address in its first argument. */
    long create(DriverCall call, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            Object[] all = new Object[arguments.length + 1];
            all[0] = out;
            System.arraycopy(arguments, 0, all, 1, arguments.length);
            check(call, driver.call(call, all));
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** A call for tidying up: what it says is not worth an exception, unless it tells that the device is lost. */
    void release(DriverCall call, Object... arguments) {
        if (lost == null && !closed) {
            makeCurrent();
            int code = driver.call(call, arguments);
            if (DriverError.of(code) == DriverError.STICKY) {
                lose(call, code);
            }
        }
    }

    /** Waits for all work; what went wrong since the last time shows here, also an index outside its table. */
    void synchronize() {
        call(DriverCall.STREAM_SYNCHRONIZE, stream);
        log.clear();
        faults.check();
    }

    /** Turns a result into the exception of its kind. */
    void check(DriverCall call, int code) {
        if (code == 0) {
            return;
        }
        String error = describe(call, code);
        switch (DriverError.of(code)) {
            case STICKY -> throw lose(call, code);
            case MEMORY -> throw new DeviceMemoryException(code, error);
            case ENVIRONMENT -> throw new DeviceUnavailableException(code, error + Remedies.of(code));
            default ->
                throw new CudaException(
                        code, error + log.current().map(op -> ", for " + op).orElse("") + Remedies.of(code));
        }
    }

    private DeviceLostException lose(DriverCall call, int code) {
        String suspects = log.suspects();
        lost = new DeviceLostException(
                code,
                describe(call, code) + suspects
                        + ". Its memory is lost and this process cannot use it again: start anew"
                        + (suspects.contains("one of")
                                ? ", with -Dquern.cuda.sync=true to learn which launch failed"
                                : ""));
        return lost;
    }

    private String describe(DriverCall call, int code) {
        return info.title() + ": " + call.symbol() + " failed with " + driver.name(code) + " (" + code + "), "
                + driver.text(code);
    }

    @Override
    public void close() {
        if (!closed) {
            release(DriverCall.STREAM_SYNCHRONIZE, stream);
            faults.close();
            release(DriverCall.STREAM_DESTROY, stream);
            closed = true;
            driver.call(DriverCall.PRIMARY_CONTEXT_RELEASE, info.handle());
        }
    }
}
