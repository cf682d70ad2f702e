package io.quern.backend.cuda;

import io.quern.backend.ffi.DriverHandle;

/** One kernel; its function is looked up at the first launch. */
final class CudaKernel {
    private final String name;
    private final KernelImage image;
    private final Launch launch;
    private final int sharedBytes;
    private final boolean waits;
    private DriverHandle.Function function;
    private boolean overlaps;

    /**
     * @param sharedBytes dynamic shared memory that its blocks may have; 0 for what every kernel may
     * @param waits true if it begins with overlap_launches() of ptx/launch.cuh
     */
    CudaKernel(String name, KernelImage image, Launch launch, int sharedBytes, boolean waits) {
        this.sharedBytes = sharedBytes;
        this.name = name;
        this.image = image;
        this.launch = launch;
        this.waits = waits;
    }

    String name() {
        return name;
    }

    /** False before the first launch, which loads it. */
    boolean isLoaded() {
        return function != null;
    }

    /** The driver's handle. */
    DriverHandle.Function function() {
        if (function == null) {
            DriverHandle.Function loaded = image.function(name, sharedBytes);
            overlaps = waits && image.overlaps(loaded);
            function = loaded;
        }
        return function;
    }

    /** True if a launch may begin before the one before it is done, since the kernel itself waits; known once it is loaded. */
    boolean overlaps() {
        return overlaps;
    }

    /** Begins a launch: the arguments follow in the order of the kernel's parameters. */
    Launch with() {
        return launch.begin(this);
    }
}
