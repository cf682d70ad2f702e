package io.quern.backend.ffi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;

/**
 * The functions of the CUDA driver that Quern calls, as of CUDA 12.0: one line each. All return a CUresult.
 *
 * <p>Types: i is a 32-bit integer, l a 64-bit one (also device pointers), f a float, p the address of a host segment. Handles: C is
 * a context, S a stream, E an event, P a pool, L a library, K a kernel, F a function, G a graph, X an executable one.
 */
public enum DriverCall {
    INIT("cuInit", "i"),
    DRIVER_GET_VERSION("cuDriverGetVersion", "p"),
    GET_ERROR_NAME("cuGetErrorName", "ip"),
    GET_ERROR_STRING("cuGetErrorString", "ip"),

    DEVICE_GET_COUNT("cuDeviceGetCount", "p"),
    DEVICE_GET("cuDeviceGet", "pi"),
    DEVICE_GET_NAME("cuDeviceGetName", "pii"),
    DEVICE_GET_ATTRIBUTE("cuDeviceGetAttribute", "pii"),
    DEVICE_GET_BUS("cuDeviceGetPCIBusId", "pii"),
    DEVICE_TOTAL_MEM("cuDeviceTotalMem_v2", "pi"),
    PRIMARY_CONTEXT_RETAIN("cuDevicePrimaryCtxRetain", "pi"),
    PRIMARY_CONTEXT_RELEASE("cuDevicePrimaryCtxRelease_v2", "i"),
    CONTEXT_SET_CURRENT("cuCtxSetCurrent", "C"),

    DEFAULT_POOL("cuDeviceGetDefaultMemPool", "pi"),
    POOL_SET_ATTRIBUTE("cuMemPoolSetAttribute", "Pip"),
    POOL_TRIM("cuMemPoolTrimTo", "Pl"),
    POOL_ALLOCATE("cuMemAllocFromPoolAsync", "plPS"),
    FREE("cuMemFreeAsync", "lS"),
    MEMORY_INFO("cuMemGetInfo_v2", "pp"),
    HOST_ALLOCATE("cuMemHostAlloc", "pli"),
    HOST_FREE("cuMemFreeHost", "l"),
    COPY_TO_DEVICE("cuMemcpyHtoDAsync_v2", "lllS"),
    COPY_TO_HOST("cuMemcpyDtoHAsync_v2", "lllS"),
    COPY_WITHIN("cuMemcpyDtoDAsync_v2", "lllS"),
    SET_BYTES("cuMemsetD8Async", "lilS"),

    STREAM_CREATE("cuStreamCreate", "pi"),
    STREAM_DESTROY("cuStreamDestroy_v2", "S"),
    STREAM_SYNCHRONIZE("cuStreamSynchronize", "S"),
    EVENT_CREATE("cuEventCreate", "pi"),
    EVENT_DESTROY("cuEventDestroy_v2", "E"),
    EVENT_RECORD("cuEventRecord", "ES"),
    EVENT_SYNCHRONIZE("cuEventSynchronize", "E"),
    EVENT_ELAPSED("cuEventElapsedTime", "pEE"),

    LIBRARY_LOAD("cuLibraryLoadData", "ppppippi"),
    LIBRARY_UNLOAD("cuLibraryUnload", "L"),
    LIBRARY_GET_KERNEL("cuLibraryGetKernel", "pLp"),
    KERNEL_GET_FUNCTION("cuKernelGetFunction", "pK"),
    KERNEL_SET_ATTRIBUTE("cuKernelSetAttribute", "iiKi"),
    FUNCTION_GET_ATTRIBUTE("cuFuncGetAttribute", "piF"),
    LAUNCH("cuLaunchKernelEx", "pFpp"),

    CAPTURE_BEGIN("cuStreamBeginCapture_v2", "Si"),
    CAPTURE_END("cuStreamEndCapture", "Sp"),
    GRAPH_INSTANTIATE("cuGraphInstantiateWithFlags", "pGl"),
    GRAPH_LAUNCH("cuGraphLaunch", "XS"),
    GRAPH_EXEC_DESTROY("cuGraphExecDestroy", "X"),
    GRAPH_DESTROY("cuGraphDestroy", "G"),

    TENSOR_MAP_TILED("cuTensorMapEncodeTiled", "piilppppiiii");

    private final String symbol;
    private final String types;

    DriverCall(String symbol, String types) {
        this.symbol = symbol;
        this.types = types;
    }

    /** The exported name, with the version of its binary interface. */
    public String symbol() {
        return symbol;
    }

    /** The name that cuGetProcAddress takes, which chooses the version by the CUDA version asked for. */
    String baseName() {
        return symbol.replaceFirst("_v\\d+$", "");
    }

    /**
     * What is passed to the driver: handles as their values.
     *
     * @throws IllegalArgumentException where another kind of handle is wanted, or none
     */
    Object[] arguments(Object... given) {
        Object[] passed = given.clone();
        for (int i = 0; i < given.length; i++) {
            Class<?> kind = given[i] instanceof DriverHandle ? given[i].getClass() : null;
            if (kind != handle(types.charAt(i))) {
                throw new IllegalArgumentException(symbol + " is called with " + given[i] + " as argument " + i);
            }
            if (given[i] instanceof DriverHandle handle) {
                passed[i] = handle.value();
            }
        }
        return passed;
    }

    /** The kind of handle that a letter stands for; null for other types. */
    private static Class<? extends DriverHandle> handle(char type) {
        return switch (type) {
            case 'C' -> DriverHandle.Context.class;
            case 'S' -> DriverHandle.Stream.class;
            case 'E' -> DriverHandle.Event.class;
            case 'P' -> DriverHandle.Pool.class;
            case 'L' -> DriverHandle.Library.class;
            case 'K' -> DriverHandle.Kernel.class;
            case 'F' -> DriverHandle.Function.class;
            case 'G' -> DriverHandle.Graph.class;
            case 'X' -> DriverHandle.ExecutableGraph.class;
            default -> null;
        };
    }

    FunctionDescriptor descriptor() {
        MemoryLayout[] parameters = types.chars()
                .mapToObj(type -> switch (type) {
                    case 'i' -> ValueLayout.JAVA_INT;
                    case 'f' -> ValueLayout.JAVA_FLOAT;
                    case 'p' -> ValueLayout.ADDRESS;
                    default -> ValueLayout.JAVA_LONG;
                })
                .toArray(MemoryLayout[]::new);
        return FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters);
    }
}
