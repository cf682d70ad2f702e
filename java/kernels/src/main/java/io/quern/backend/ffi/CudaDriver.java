package io.quern.backend.ffi;

import io.quern.backend.DeviceUnavailableException;
import io.quern.tensor.QuernException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * A library that speaks the CUDA driver API: NVIDIA's, or the simulator. One table of method handles; every call returns
 * the driver's CUresult, which the caller judges.
 */
public final class CudaDriver {
    /** The binary interface that is asked for: CUDA 12.0. Newer drivers keep it. */
    private static final int INTERFACE = 12_000;

    private final String library;
    private final Map<DriverCall, MethodHandle> calls = new EnumMap<>(DriverCall.class);
    private final MethodHandle launch;

    private CudaDriver(String library, SymbolLookup symbols) {
        this.library = library;
        Linker linker = Linker.nativeLinker();
        Resolver resolver = Resolver.of(linker, symbols);
        MethodHandle exact = null;
        for (DriverCall call : DriverCall.values()) {
            Optional<MemorySegment> entry = resolver.find(call);
            if (entry.isPresent()) {
                MethodHandle handle = handle(linker, entry.get(), call.descriptor());
                calls.put(call, spread(handle));
                exact = call == DriverCall.LAUNCH ? handle : exact;
            }
        }
        launch = exact;
    }

    /** NVIDIA's driver by its system name, or empty when this machine has none. */
    public static Optional<CudaDriver> nvidia() {
        return open("libcuda.so.1");
    }

    /** A driver library in a file, for example the simulator; empty when it cannot be loaded. */
    public static Optional<CudaDriver> at(Path file) {
        return open(file.toAbsolutePath().toString());
    }

    @SuppressWarnings("restricted")
    private static Optional<CudaDriver> open(String library) {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        return Optional.of(new CudaDriver(library, symbols));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle handle(Linker linker, MemorySegment entry, FunctionDescriptor descriptor) {
        return linker.downcallHandle(entry, descriptor);
    }

    private static MethodHandle spread(MethodHandle handle) {
        int parameters = handle.type().parameterCount();
        return handle.asType(handle.type().generic().changeReturnType(int.class))
                .asSpreader(Object[].class, parameters);
    }

    /** The library's name or path. */
    public String library() {
        return library;
    }

    /** Calls a function by the table; arguments are Integer, Long, MemorySegment or handles as its line says. */
    public int call(DriverCall call, Object... arguments) {
        MethodHandle handle = calls.get(call);
        if (handle == null) {
            throw new DeviceUnavailableException(
                    DriverError.NOT_FOUND,
                    library + " does not offer " + call.symbol()
                            + ", which belongs to CUDA 12.0; update the NVIDIA driver to r580 or later");
        }
        try {
            return (int) handle.invokeExact(call.arguments(arguments));
        } catch (Throwable e) {
            throw failure(call, e);
        }
    }

    /** The call of the hot path, without boxing. */
    public int launch(MemorySegment config, DriverHandle.Function function, MemorySegment parameters) {
        try {
            return (int) launch.invokeExact(config, function.value(), parameters, MemorySegment.NULL);
        } catch (Throwable e) {
            throw failure(DriverCall.LAUNCH, e);
        }
    }

    private static RuntimeException failure(DriverCall call, Throwable e) {
        return switch (e) {
            case RuntimeException known -> known;
            case Error error -> throw error;
            default -> new QuernException(call.symbol() + " could not be called", e);
        };
    }

    /** The driver's name of a result, for example CUDA_ERROR_OUT_OF_MEMORY. */
    public String name(int code) {
        return text(DriverCall.GET_ERROR_NAME, code);
    }

    /** The driver's words for a result. */
    public String text(int code) {
        return text(DriverCall.GET_ERROR_STRING, code);
    }

    @SuppressWarnings("restricted")
    private String text(DriverCall call, int code) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            if (call(call, code, out) != 0) {
                return "unknown error";
            }
            return out.get(ValueLayout.ADDRESS, 0).reinterpret(1024).getString(0);
        }
    }

    /** Finds entry points: through cuGetProcAddress, which knows interface versions, or by exported name. */
    private interface Resolver {
        Optional<MemorySegment> find(DriverCall call);

        static Resolver of(Linker linker, SymbolLookup symbols) {
            Resolver exported = call -> symbols.find(call.symbol());
            return symbols.find("cuGetProcAddress_v2")
                    .<Resolver>map(entry -> {
                        MethodHandle query = handle(
                                linker,
                                entry,
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.ADDRESS));
                        return call -> asked(query, call).or(() -> exported.find(call));
                    })
                    .orElse(exported);
        }

        private static Optional<MemorySegment> asked(MethodHandle query, DriverCall call) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment entry = arena.allocate(ValueLayout.ADDRESS);
                MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
                int code = (int) query.invokeExact(arena.allocateFrom(call.baseName()), entry, INTERFACE, 0L, status);
                MemorySegment found = entry.get(ValueLayout.ADDRESS, 0);
                return code == 0 && found.address() != 0 ? Optional.of(found) : Optional.empty();
            } catch (Throwable e) {
                throw failure(call, e);
            }
        }
    }
}
