package io.quern.backend.cuda;

/** Kernels of an image by name, and the launcher and scratch memory that they share. */
final class CudaKernels {
    private final KernelImage image;
    private final Launch launch;
    private final DeviceScratch scratch;

    CudaKernels(KernelImage image, Launch launch, DeviceScratch scratch) {
        this.image = image;
        this.launch = launch;
        this.scratch = scratch;
    }

    CudaKernel get(String name) {
        return new CudaKernel(name, image, launch);
    }

    DeviceScratch scratch() {
        return scratch;
    }
}
