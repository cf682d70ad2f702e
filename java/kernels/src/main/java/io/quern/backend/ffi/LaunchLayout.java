package io.quern.backend.ffi;

/** Offsets and sizes in bytes of the driver's structures, from cuda.h of CUDA 12 and 13 on 64-bit machines. */
public final class LaunchLayout {
    /** CUlaunchConfig: gridDimX, Y, Z, blockDimX, Y, Z, sharedMemBytes (32 bits each), hStream, attrs, numAttrs. */
    public static final int CONFIG_BYTES = 56;

    public static final int CONFIG_GRID = 0;
    public static final int CONFIG_BLOCK = 12;
    public static final int CONFIG_SHARED = 24;
    public static final int CONFIG_STREAM = 32;
    public static final int CONFIG_ATTRIBUTES = 40;
    public static final int CONFIG_ATTRIBUTE_COUNT = 48;

    /** CUlaunchAttribute: id, padding, a union of 64 bytes. */
    public static final int ATTRIBUTE_BYTES = 72;

    public static final int ATTRIBUTE_VALUE = 8;
    /** Value: three 32-bit extents. */
    public static final int ATTRIBUTE_CLUSTER = 4;

    /** Programmatic stream serialization; value: 32 bits, not 0 where the launch may overlap with the one before. */
    public static final int ATTRIBUTE_OVERLAP = 6;

    /** CUDA_KERNEL_NODE_PARAMS_v2: func, grid, block, sharedMemBytes, kernelParams, extra, kern, ctx. */
    public static final int NODE_BYTES = 72;

    public static final int NODE_GRID = 8;
    public static final int NODE_BLOCK = 20;
    public static final int NODE_SHARED = 32;
    public static final int NODE_PARAMETERS = 40;

    /** CUtensorMap: opaque. */
    public static final int TENSOR_MAP_BYTES = 128;

    public static final int TENSOR_MAP_ALIGNMENT = 128;

    private LaunchLayout() {}
}
