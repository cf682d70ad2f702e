package io.quern.backend.ffi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;

/**
 * The functions of the CUDA driver that Quern calls, as of CUDA 12.0: one line each. All return a CUresult.
 *
 * <p>Types: i is a 32-bit integer, l a 64-bit one (also device pointers and opaque handles), f a float, p the address of
 * a host segment.
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
    CONTEXT_SET_CURRENT("cuCtxSetCurrent", "l"),

    DEFAULT_POOL("cuDeviceGetDefaultMemPool", "pi"),
    POOL_SET_ATTRIBUTE("cuMemPoolSetAttribute", "lip"),
    POOL_TRIM("cuMemPoolTrimTo", "ll"),
    POOL_ALLOCATE("cuMemAllocFromPoolAsync", "plll"),
    FREE("cuMemFreeAsync", "ll"),
    MEMORY_INFO("cuMemGetInfo_v2", "pp"),
    HOST_ALLOCATE("cuMemHostAlloc", "pli"),
    HOST_FREE("cuMemFreeHost", "l"),
    COPY_TO_DEVICE("cuMemcpyHtoDAsync_v2", "llll"),
    COPY_TO_HOST("cuMemcpyDtoHAsync_v2", "llll"),
    COPY_WITHIN("cuMemcpyDtoDAsync_v2", "llll"),
    SET_BYTES("cuMemsetD8Async", "lill"),

    STREAM_CREATE("cuStreamCreate", "pi"),
    STREAM_DESTROY("cuStreamDestroy_v2", "l"),
    STREAM_SYNCHRONIZE("cuStreamSynchronize", "l"),
    EVENT_CREATE("cuEventCreate", "pi"),
    EVENT_DESTROY("cuEventDestroy_v2", "l"),
    EVENT_RECORD("cuEventRecord", "ll"),
    EVENT_SYNCHRONIZE("cuEventSynchronize", "l"),
    EVENT_ELAPSED("cuEventElapsedTime", "pll"),

    LIBRARY_LOAD("cuLibraryLoadData", "ppppippi"),
    LIBRARY_UNLOAD("cuLibraryUnload", "l"),
    LIBRARY_GET_KERNEL("cuLibraryGetKernel", "plp"),
    KERNEL_GET_FUNCTION("cuKernelGetFunction", "pl"),
    KERNEL_SET_ATTRIBUTE("cuKernelSetAttribute", "iili"),
    FUNCTION_GET_ATTRIBUTE("cuFuncGetAttribute", "pil"),
    LAUNCH("cuLaunchKernelEx", "plpp"),

    CAPTURE_BEGIN("cuStreamBeginCapture_v2", "li"),
    CAPTURE_END("cuStreamEndCapture", "lp"),
    GRAPH_INSTANTIATE("cuGraphInstantiateWithFlags", "pll"),
    GRAPH_LAUNCH("cuGraphLaunch", "ll"),
    GRAPH_EXEC_DESTROY("cuGraphExecDestroy", "l"),
    GRAPH_DESTROY("cuGraphDestroy", "l"),

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

    FunctionDescriptor descriptor() {
        MemoryLayout[] parameters = types.chars()
                .mapToObj(type -> switch (type) {
                    case 'i' -> ValueLayout.JAVA_INT;
                    case 'l' -> ValueLayout.JAVA_LONG;
                    case 'f' -> ValueLayout.JAVA_FLOAT;
                    default -> ValueLayout.ADDRESS;
                })
                .toArray(MemoryLayout[]::new);
        return FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters);
    }
}
