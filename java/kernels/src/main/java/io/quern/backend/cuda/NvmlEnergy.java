package io.quern.backend.cuda;

import io.quern.backend.EnergyMeter;
import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.Nvml;
import io.quern.tensor.QuernException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The energy counter of an NVIDIA GPU, which Volta and later have. */
public final class NvmlEnergy implements EnergyMeter {
    /** Comes with the driver. */
    static final String LIBRARY = "libnvidia-ml.so.1";

    private static final System.Logger LOG = System.getLogger(NvmlEnergy.class.getName());
    private static final int BUS_BYTES = 32;

    private final Nvml library;
    private final long handle;
    private boolean silent;

    private NvmlEnergy(Nvml library, long handle) {
        this.library = library;
        this.handle = handle;
    }

    /** A meter of the device, or empty, with a line in the log, where it does not count. */
    static Optional<EnergyMeter> of(String name, CudaDevice device) {
        Optional<Nvml> opened;
        try {
            opened = Nvml.open(name);
        } catch (QuernException e) {
            return absent(e.getMessage());
        }
        if (opened.isEmpty()) {
            return absent(missing(name));
        }
        try {
            long handle = opened.get().device(bus(device));
            opened.get().millijoules(handle);
            return Optional.of(new NvmlEnergy(opened.get(), handle));
        } catch (QuernException e) {
            opened.get().close();
            return absent(e.getMessage());
        }
    }

    private static Optional<EnergyMeter> absent(String why) {
        LOG.log(System.Logger.Level.DEBUG, "energy is not counted: {0}", why);
        return Optional.empty();
    }

    private static String bus(CudaDevice device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(BUS_BYTES);
            device.call(
                    DriverCall.DEVICE_GET_BUS, text, BUS_BYTES, device.info().handle());
            return text.getString(0);
        }
    }

    private static String missing(String name) {
        return name + " cannot be loaded; it comes with the NVIDIA driver";
    }

    /** One line for people. */
    public static String summary() {
        try (Nvml library = Nvml.open(LIBRARY).orElse(null)) {
            return library == null ? "not counted: " + missing(LIBRARY) : "counted by NVML where the GPU does";
        } catch (QuernException e) {
            return "not counted: " + e.getMessage();
        }
    }

    @Override
    public double joules() {
        if (silent) {
            return Double.NaN;
        }
        try {
            return library.millijoules(handle) * 1e-3;
        } catch (QuernException e) {
            silent = true;
            LOG.log(System.Logger.Level.WARNING, "energy is not counted any more: {0}", e.getMessage());
            return Double.NaN;
        }
    }

    @Override
    public void close() {
        library.close();
    }
}
