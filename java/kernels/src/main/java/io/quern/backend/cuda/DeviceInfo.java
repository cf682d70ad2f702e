package io.quern.backend.cuda;

import io.quern.backend.DeviceUnavailableException;
import io.quern.backend.ffi.CudaDriver;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/**
 * What a GPU is.
 *
 * @param handle the driver's number of the device
 * @param major compute capability, for example 9 of 9.0
 * @param processors streaming multiprocessors
 * @param sharedBytes shared memory that one block may have when it asks for it
 * @param cacheBytes L2
 * @param driverVersion the newest CUDA that the driver knows, for example 13000
 */
record DeviceInfo(
        int handle,
        String name,
        int major,
        int minor,
        int processors,
        int sharedBytes,
        long cacheBytes,
        long memoryBytes,
        int driverVersion) {
    /** Drivers of r580 are the first to know CUDA 13.0, which the kernels are built with. */
    static final int LEAST_DRIVER = 13_000;

    /** Compute capability that the kernels need at least. */
    private static final int LEAST_MAJOR = 8;

    private static final int PROCESSOR_COUNT = 16;
    private static final int CAPABILITY_MAJOR = 75;
    private static final int CAPABILITY_MINOR = 76;
    private static final int SHARED_OPT_IN = 97;
    private static final int CACHE = 38;

    /** Initialises the driver and asks; no context is made. */
    static DeviceInfo query(CudaDriver driver, int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(256, 8);
            require(driver, DriverCall.DRIVER_GET_VERSION, out);
            int version = out.get(ValueLayout.JAVA_INT, 0);
            if (version < LEAST_DRIVER) {
                throw new DeviceUnavailableException(
                        36,
                        "the NVIDIA driver knows CUDA " + text(version) + ", the kernels need 13.0; "
                                + Remedies.DRIVER);
            }
            require(driver, DriverCall.INIT, 0);
            require(driver, DriverCall.DEVICE_GET_COUNT, out);
            int count = out.get(ValueLayout.JAVA_INT, 0);
            if (ordinal >= count) {
                throw new DeviceUnavailableException(
                        DriverError.NO_DEVICE,
                        "the driver sees " + count + " GPUs" + Remedies.of(DriverError.NO_DEVICE));
            }
            require(driver, DriverCall.DEVICE_GET, out, ordinal);
            int device = out.get(ValueLayout.JAVA_INT, 0);
            require(driver, DriverCall.DEVICE_GET_NAME, out, 256, device);
            String name = out.getString(0);
            require(driver, DriverCall.DEVICE_TOTAL_MEM, out, device);
            long bytes = out.get(ValueLayout.JAVA_LONG, 0);
            DeviceInfo info = new DeviceInfo(
                    device,
                    name,
                    attribute(driver, out, CAPABILITY_MAJOR, device),
                    attribute(driver, out, CAPABILITY_MINOR, device),
                    attribute(driver, out, PROCESSOR_COUNT, device),
                    attribute(driver, out, SHARED_OPT_IN, device),
                    attribute(driver, out, CACHE, device),
                    bytes,
                    version);
            if (info.major < LEAST_MAJOR) {
                throw new DeviceUnavailableException(
                        DriverError.NO_BINARY,
                        info.title() + " is older than the GPUs that the kernels are for, compute capability "
                                + LEAST_MAJOR + ".0 and later; " + Remedies.OTHER);
            }
            return info;
        }
    }

    private static int attribute(CudaDriver driver, MemorySegment out, int attribute, int device) {
        require(driver, DriverCall.DEVICE_GET_ATTRIBUTE, out, attribute, device);
        return out.get(ValueLayout.JAVA_INT, 0);
    }

    private static void require(CudaDriver driver, DriverCall call, Object... arguments) {
        int code = driver.call(call, arguments);
        if (code != 0) {
            throw new DeviceUnavailableException(
                    code,
                    call.symbol() + " failed with " + driver.name(code) + " (" + code + "), " + driver.text(code)
                            + Remedies.of(code));
        }
    }

    private static String text(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** True for exactly the chips that the Hopper module is for. */
    boolean isHopper() {
        return major == 9 && minor == 0;
    }

    /** Name and capability, as errors begin. */
    String title() {
        return name + " (sm_" + major + minor + ")";
    }

    /** One line for people. */
    String summary() {
        return String.format(
                Locale.ROOT,
                "%s, %d processors, %,d MiB, driver for CUDA %s",
                title(),
                processors,
                memoryBytes >> 20,
                text(driverVersion));
    }
}
