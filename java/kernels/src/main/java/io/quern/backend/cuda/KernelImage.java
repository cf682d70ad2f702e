package io.quern.backend.cuda;

import io.quern.backend.CudaException;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverError;
import io.quern.backend.ffi.DriverHandle;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A loaded module of kernels. The driver may read the image as long as it is loaded, so its bytes stay. */
final class KernelImage implements AutoCloseable {
    /** CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES. */
    private static final int MOST_DYNAMIC_SHARED = 8;

    /** CU_FUNC_ATTRIBUTE_PTX_VERSION: the compute capability, times 10, that a function was compiled for. */
    private static final int COMPILED_FOR = 5;

    /** The first compute capability whose kernels can wait for the launch before. */
    private static final int OVERLAPS = 90;

    private static final String OVERLAP = "quern.cuda.overlap";

    private final CudaDevice device;
    private final boolean mayOverlap;
    private final Arena arena = Arena.ofShared();
    private final DriverHandle.Library library;

    KernelImage(CudaDevice device, byte[] image) {
        this.device = device;
        mayOverlap =
                device.info().major() * 10 >= OVERLAPS && Boolean.parseBoolean(System.getProperty(OVERLAP, "true"));
        try {
            MemorySegment bytes = arena.allocate(image.length, 64);
            MemorySegment.copy(image, 0, bytes, ValueLayout.JAVA_BYTE, 0, image.length);
            MemorySegment none = MemorySegment.NULL;
            library = device.create(
                    DriverHandle.Library::new, DriverCall.LIBRARY_LOAD, bytes, none, none, 0, none, none, 0);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /**
     * The launchable function of a kernel.
     *
     * @param sharedBytes dynamic shared memory that its blocks may have; 0 for what every kernel may
     */
    DriverHandle.Function function(String name, int sharedBytes) {
        device.ready();
        try (Arena call = Arena.ofConfined()) {
            DriverHandle.Kernel kernel = device.create(
                    DriverHandle.Kernel::new, DriverCall.LIBRARY_GET_KERNEL, library, call.allocateFrom(name));
            if (sharedBytes > 0) {
                int handle = device.info().handle();
                device.call(DriverCall.KERNEL_SET_ATTRIBUTE, MOST_DYNAMIC_SHARED, sharedBytes, kernel, handle);
            }
            return device.create(DriverHandle.Function::new, DriverCall.KERNEL_GET_FUNCTION, kernel);
        } catch (CudaException e) {
            throw e.code() == DriverError.NOT_FOUND
                    ? new CudaException(
                            e.code(),
                            "the kernel image has no kernel " + name + "; rebuild it from cuda/ of this version")
                    : e;
        }
    }

    /** True if launches of kernels that wait for the launch before may overlap with it, unless compiled for an older GPU. */
    boolean mayOverlap() {
        return mayOverlap;
    }

    /**
     * True if a function that has been written to wait for the launch before does so: on a GPU newer than the modules it is
     * compiled from what was meant for older ones. False with {@code -Dquern.cuda.overlap=false} when the backend was opened.
     */
    boolean overlaps(DriverHandle.Function function) {
        if (!mayOverlap) {
            return false;
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.JAVA_INT);
            device.call(DriverCall.FUNCTION_GET_ATTRIBUTE, out, COMPILED_FOR, function);
            return out.get(ValueLayout.JAVA_INT, 0) >= OVERLAPS;
        }
    }

    @Override
    public void close() {
        device.release(DriverCall.LIBRARY_UNLOAD, library);
        arena.close();
    }
}
