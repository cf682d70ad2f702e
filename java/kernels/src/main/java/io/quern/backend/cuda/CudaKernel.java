package io.quern.backend.cuda;

/** One kernel; its function is looked up at the first launch. */
final class CudaKernel {
    private final String name;
    private final KernelImage image;
    private final Launch launch;
    private long function;

    CudaKernel(String name, KernelImage image, Launch launch) {
        this.name = name;
        this.image = image;
        this.launch = launch;
    }

    String name() {
        return name;
    }

    /** The driver's handle. */
    long function() {
        if (function == 0) {
            function = image.function(name);
        }
        return function;
    }

    /** Begins a launch: the arguments follow in the order of the kernel's parameters. */
    Launch with() {
        return launch.begin(this);
    }
}
