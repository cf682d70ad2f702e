package io.quern.testing;

import io.quern.backend.Backends;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The controls of the simulated driver: what a test makes fail, and what is left behind. See native/sim/control.cpp. */
public final class Simulator {
    private final SymbolLookup symbols;

    @SuppressWarnings("restricted")
    private Simulator(Path library) {
        symbols = SymbolLookup.libraryLookup(library, Arena.global());
    }

    /** Skips the test where the simulator is not built, which says why. */
    public static Simulator require() {
        Backends.Availability simulator = Backends.probe().stream()
                .filter(backend -> backend.name().equals("cuda-sim"))
                .findFirst()
                .orElseThrow();
        Assumptions.assumeTrue(simulator.available(), simulator.reason());
        Simulator opened =
                new Simulator(Path.of(System.getProperty("quern.cuda.sim", System.getenv("QUERN_CUDA_SIM"))));
        opened.reset();
        return opened;
    }

    /** Like a new process. */
    public void reset() {
        call("quern_sim_reset", FunctionDescriptor.ofVoid());
    }

    /** Makes calls fail, for example {@code cuLaunchKernelEx:3=CUDA_ERROR_LAUNCH_FAILED}; empty for none. */
    public void fail(String rules) {
        try (Arena arena = Arena.ofConfined()) {
            Object code = call(
                    "quern_sim_fail",
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS),
                    arena.allocateFrom(rules));
            if ((int) code != 0) {
                throw new AssertionError("the simulator does not understand " + rules);
            }
        }
    }

    /** Rules that have not fired. */
    public int pendingFaults() {
        return (int) call("quern_sim_pending_faults", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    }

    /** The driver call that the last injected error hit. */
    @SuppressWarnings("restricted")
    public String lastInjected() {
        MemorySegment text =
                (MemorySegment) call("quern_sim_last_injected", FunctionDescriptor.of(ValueLayout.ADDRESS));
        return text.address() == 0 ? "" : text.reinterpret(1024).getString(0);
    }

    /** Device bytes that are allocated. */
    public long outstandingBytes() {
        return number("quern_sim_outstanding_bytes");
    }

    /** Page-locked bytes that are allocated. */
    public long pinnedBytes() {
        return number("quern_sim_pinned_bytes");
    }

    /** Streams, events, libraries and the like that were not destroyed. */
    public long outstandingHandles() {
        return number("quern_sim_outstanding_handles");
    }

    /** Reports of misuse so far. */
    public long reports() {
        return number("quern_sim_reports");
    }

    /** Driver calls of a kind since the last reset, without the version: {@code cuMemFreeAsync}. */
    public long calls(String kind) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) call(
                    "quern_sim_calls",
                    FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
                    arena.allocateFrom(kind));
        }
    }

    /** Energy of the device in mJ per kernel; 0 as at first: it does not count it. Outlives {@link #reset}. */
    public void setEnergy(long perKernel) {
        call("quern_sim_set_energy", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), perKernel);
    }

    /** Users of the management library who have not left. */
    public long managementUsers() {
        return number("quern_sim_nvml_users");
    }

    /** Kernels that have run and might have begun before the launch before was done. */
    public long overlappingKernelsRun() {
        return number("quern_sim_overlapping_kernels_run");
    }

    /** Kernels that have run. */
    public long kernelsRun() {
        return number("quern_sim_kernels_run");
    }

    public void setDriverVersion(int version) {
        call("quern_sim_set_driver_version", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), version);
    }

    public void setDevices(int count) {
        call("quern_sim_set_devices", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), count);
    }

    public void setMemory(long bytes) {
        call("quern_sim_set_device_memory", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), bytes);
    }

    public void setCapability(int major, int minor) {
        call(
                "quern_sim_set_compute_capability",
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                major,
                minor);
    }

    /** What kernels were compiled for, as major * 10 + minor: from PTX, less than the device's own. */
    public void setCompiledFor(int capability) {
        call("quern_sim_set_compiled_for", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), capability);
    }

    /** Asynchronous work completes as late as allowed. */
    public void setLate(boolean late) {
        call("quern_sim_set_late", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), late ? 1 : 0);
    }

    /** Functions that hardware approximates are exact, instead of as far off as is documented. */
    public void setExact(boolean exact) {
        call("quern_sim_set_exact", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), exact ? 1 : 0);
    }

    private long number(String name) {
        return (long) call(name, FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    @SuppressWarnings("restricted")
    private Object call(String name, FunctionDescriptor type, Object... arguments) {
        try {
            MethodHandle handle =
                    Linker.nativeLinker().downcallHandle(symbols.find(name).orElseThrow(), type);
            return handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(name, e);
        }
    }
}
