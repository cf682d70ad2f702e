package io.quern.backend.cuda;

/** One kernel; its function is looked up at the first launch. */
final class CudaKernel {
    private final String name;
    private final KernelImage image;
    private final Launch launch;
    private final int sharedBytes;
    private long function;

    /** @param sharedBytes dynamic shared memory that its blocks may have; 0 for what every kernel may */
    CudaKernel(String name, KernelImage image, Launch launch, int sharedBytes) {
        this.sharedBytes = sharedBytes;
        this.name = name;
        this.image = image;
        this.launch = launch;
    }

    String name() {
        return name;
    }

    /** False before the first launch, which loads it. */
    boolean isLoaded() {
        return function != 0;
    }

    /** The driver's handle. */
    long function() {
        if (function == 0) {
            function = image.function(name, sharedBytes);
        }
        return function;
    }

    /** Begins a launch: the arguments follow in the order of the kernel's parameters. */
    Launch with() {
        return launch.begin(this);
    }
}
