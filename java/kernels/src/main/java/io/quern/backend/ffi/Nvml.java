package io.quern.backend.ffi;

import io.quern.tensor.QuernException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** NVIDIA's management library, of which only the energy counter is used. Close it. */
public final class Nvml implements AutoCloseable {
    private static final FunctionDescriptor NO_ARGUMENTS = FunctionDescriptor.of(ValueLayout.JAVA_INT);

    private final SymbolLookup symbols;
    private final MethodHandle energy;

    private Nvml(SymbolLookup symbols) {
        this.symbols = symbols;
        check("nvmlInit_v2", (int) call("nvmlInit_v2", NO_ARGUMENTS));
        energy = handle(
                "nvmlDeviceGetTotalEnergyConsumption",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    }

    /**
     * Loads and initialises the library; empty where there is none.
     *
     * @throws QuernException when it is there and does not work
     */
    @SuppressWarnings("restricted")
    public static Optional<Nvml> open(String library) {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        return Optional.of(new Nvml(symbols));
    }

    /** The handle of the device at a PCI address such as 0000:01:00.0. */
    public long device(String bus) {
        String name = "nvmlDeviceGetHandleByPciBusId_v2";
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            FunctionDescriptor type =
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
            check(name, (int) call(name, type, arena.allocateFrom(bus), out));
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Millijoules since the driver was loaded. */
    public long millijoules(long device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            check("nvmlDeviceGetTotalEnergyConsumption", (int) energy.invokeExact(device, out));
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (QuernException e) {
            throw e;
        } catch (Throwable e) {
            throw new QuernException("nvmlDeviceGetTotalEnergyConsumption could not be called", e);
        }
    }

    private void check(String name, int result) {
        if (result != 0) {
            throw new QuernException(name + " failed with " + result + ", " + text(result));
        }
    }

    @SuppressWarnings("restricted")
    private String text(int result) {
        FunctionDescriptor type = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
        MemorySegment text = (MemorySegment) call("nvmlErrorString", type, result);
        return text.address() == 0 ? "unknown error" : text.reinterpret(1024).getString(0);
    }

    private Object call(String name, FunctionDescriptor type, Object... arguments) {
        try {
            return handle(name, type).invokeWithArguments(arguments);
        } catch (QuernException e) {
            throw e;
        } catch (Throwable e) {
            throw new QuernException(name + " could not be called", e);
        }
    }

    @SuppressWarnings("restricted")
    private MethodHandle handle(String name, FunctionDescriptor type) {
        MemorySegment entry = symbols.find(name)
                .orElseThrow(() -> new QuernException("the management library has no " + name + "; update the driver"));
        return Linker.nativeLinker().downcallHandle(entry, type);
    }

    @Override
    public void close() {
        call("nvmlShutdown", NO_ARGUMENTS);
    }
}
