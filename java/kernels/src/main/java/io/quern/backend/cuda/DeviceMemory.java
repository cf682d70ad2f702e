package io.quern.backend.cuda;

import io.quern.backend.DeviceMemoryException;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverError;
import io.quern.backend.ffi.DriverHandle;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.ClosedException;
import io.quern.tensor.Memory;
import io.quern.tensor.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The memory of one GPU, from its default pool, in the order of the stream: what is freed can be given out again at once.
 */
final class DeviceMemory implements Memory, AutoCloseable {
    /** The pool keeps what is freed, until the device runs out. */
    private static final int RELEASE_THRESHOLD = 4;

    private static final int SHOWN_HOLDERS = 3;

    private final CudaDevice device;
    private final String name;
    private final DriverHandle.Pool pool;
    private final PinnedStaging staging;
    private final Set<DeviceBlock> blocks = Collections.newSetFromMap(new IdentityHashMap<>());

    DeviceMemory(CudaDevice device, String name) {
        this.device = device;
        this.name = name;
        this.pool = openPool(device);
        this.staging = new PinnedStaging(device);
    }

    private static DriverHandle.Pool openPool(CudaDevice device) {
        DriverHandle.Pool pool = device.create(
                DriverHandle.Pool::new, DriverCall.DEFAULT_POOL, device.info().handle());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocateFrom(ValueLayout.JAVA_LONG, -1L);
            device.call(DriverCall.POOL_SET_ATTRIBUTE, pool, RELEASE_THRESHOLD, all);
            return pool;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Storage allocate(long bytes) {
        if (bytes < 0) {
            throw new ArgumentException("cannot allocate " + bytes + " bytes");
        }
        device.ready();
        if (device.trace() != null) {
            device.trace().allocation();
        }
        long size = Math.max(ALIGNMENT, bytes);
        long address = take(size);
        try {
            device.call(DriverCall.SET_BYTES, address, 0, size, device.stream());
        } catch (RuntimeException e) {
            device.release(DriverCall.FREE, address, device.stream());
            throw e;
        }
        DeviceBlock block = new DeviceBlock(address, bytes, Holder.calling());
        synchronized (blocks) {
            blocks.add(block);
        }
        return block;
    }

    private long take(long bytes) {
        try {
            return device.create(DriverCall.POOL_ALLOCATE, bytes, pool, device.stream());
        } catch (DeviceMemoryException e) {
            device.synchronize();
            device.call(DriverCall.POOL_TRIM, pool, 0L);
        }
        try {
            return device.create(DriverCall.POOL_ALLOCATE, bytes, pool, device.stream());
        } catch (DeviceMemoryException e) {
            throw new DeviceMemoryException(DriverError.OUT_OF_MEMORY, shortage(bytes, e));
        }
    }

    private String shortage(long bytes, DeviceMemoryException cause) {
        String room = "";
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            if (device.driver().call(DriverCall.MEMORY_INFO, free, total) == 0) {
                room = String.format(
                        Locale.ROOT,
                        ", %s free of %s",
                        mib(free.get(ValueLayout.JAVA_LONG, 0)),
                        mib(total.get(ValueLayout.JAVA_LONG, 0)));
            }
        }
        return "out of device memory: " + mib(bytes) + " requested" + room + "; tensors hold " + mib(liveBytes())
                + holders() + ". Use a smaller batch or a smaller model. The driver: " + cause.getMessage();
    }

    private String holders() {
        Map<String, Long> bytes;
        synchronized (blocks) {
            bytes = blocks.stream().collect(Collectors.groupingBy(b -> b.holder, Collectors.summingLong(b -> b.bytes)));
        }
        return bytes.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .limit(SHOWN_HOLDERS)
                .map(entry -> entry.getKey() + " " + mib(entry.getValue()))
                .collect(Collectors.joining(", ", bytes.isEmpty() ? "" : ", the most in ", ""));
    }

    private static String mib(long bytes) {
        return String.format(Locale.ROOT, "%,.1f MiB", bytes / (double) (1 << 20));
    }

    @Override
    public long liveBytes() {
        synchronized (blocks) {
            return blocks.stream().mapToLong(block -> block.bytes).sum();
        }
    }

    @Override
    public long liveBlocks() {
        synchronized (blocks) {
            return blocks.size();
        }
    }

    @Override
    public void copyFromHost(long source, long target, long bytes) {
        device.ready();
        if (device.trace() != null) {
            device.trace().hostAccess("host memory is copied to the device");
        }
        staging.upload(source, target, bytes);
    }

    @Override
    public void copyToHost(long source, long target, long bytes) {
        device.ready();
        if (device.trace() != null) {
            device.trace().hostAccess("device memory is read by the host");
        }
        staging.download(source, target, bytes);
    }

    @Override
    public void copyWithin(long source, long target, long bytes) {
        if (device.trace() != null) {
            device.trace().copy(source, target, bytes);
            if (device.trace().dry()) {
                return;
            }
        }
        if (bytes > 0) {
            device.call(DriverCall.COPY_WITHIN, target, source, bytes, device.stream());
        }
    }

    @Override
    public void close() {
        staging.close();
        device.release(DriverCall.POOL_TRIM, pool, 0L);
    }

    /** The typed handle of a piece of device memory: its address is a number, and no segment is ever made of it. */
    private final class DeviceBlock implements Storage {
        private final long address;
        private final long bytes;
        private final String holder;

        DeviceBlock(long address, long bytes, String holder) {
            this.address = address;
            this.bytes = bytes;
            this.holder = holder;
        }

        @Override
        public long address() {
            if (!isOpen()) {
                throw new ClosedException("device memory of " + bytes + " bytes was used after close");
            }
            return address;
        }

        @Override
        public long byteSize() {
            return bytes;
        }

        @Override
        public Memory memory() {
            return DeviceMemory.this;
        }

        @Override
        public boolean isOpen() {
            synchronized (blocks) {
                return blocks.contains(this);
            }
        }

        @Override
        public void close() {
            if (device.trace() != null && isOpen()) {
                device.trace().allocation();
            }
            boolean open;
            synchronized (blocks) {
                open = blocks.remove(this);
            }
            if (open) {
                device.release(DriverCall.FREE, address, device.stream());
            }
        }
    }

    /** Who asked for memory: the first class outside the tensor package and this one. */
    private static final class Holder {
        private static final StackWalker WALKER = StackWalker.getInstance();

        static String calling() {
            return WALKER.walk(frames -> frames.map(StackWalker.StackFrame::getClassName)
                    .filter(name ->
                            !name.startsWith(DeviceMemory.class.getName()) && !name.equals("io.quern.tensor.Tensor"))
                    .findFirst()
                    .map(name -> name.substring(name.lastIndexOf('.') + 1))
                    .orElse("unknown"));
        }
    }
}
