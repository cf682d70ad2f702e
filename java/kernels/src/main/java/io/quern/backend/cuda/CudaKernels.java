package io.quern.backend.cuda;

import java.util.Optional;

/** Kernels of the device's images by name, and the launcher and scratch memory that they share. */
final class CudaKernels {
    private final KernelImages images;
    private final CudaDevice device;
    private final Launch launch;
    private final DeviceScratch scratch;

    CudaKernels(KernelImages images, CudaDevice device, Launch launch, DeviceScratch scratch) {
        this.images = images;
        this.device = device;
        this.launch = launch;
        this.scratch = scratch;
    }

    CudaKernel get(String name) {
        return get(name, 0);
    }

    /** @param sharedBytes dynamic shared memory of a block */
    CudaKernel get(String name, int sharedBytes) {
        return new CudaKernel(name, images.base(), launch, sharedBytes, false);
    }

    /** A kernel that begins with overlap_launches() of ptx/launch.cuh: where the GPU can, with the end of the launch before. */
    CudaKernel overlapping(String name) {
        return new CudaKernel(name, images.base(), launch, 0, true);
    }

    /**
     * A kernel of the Hopper module; empty where the device is no Hopper.
     *
     * @param sharedBytes dynamic shared memory of a block
     */
    Optional<CudaKernel> hopper(String name, int sharedBytes) {
        return images.hopper().map(image -> new CudaKernel(name, image, launch, sharedBytes, false));
    }

    DeviceScratch scratch() {
        return scratch;
    }

    CudaDevice device() {
        return device;
    }
}
