package io.quern.backend.cuda;

import java.util.Optional;

/**
 * The modules of kernels that a device runs: the base one, and on compute capability 9.0 that for Hopper alone, unless
 * {@code -Dquern.cuda.hopper=false}.
 */
final class KernelImages implements AutoCloseable {
    private static final String HOPPER = "quern.cuda.hopper";

    private final KernelImage base;
    private final KernelImage hopper;

    KernelImages(CudaDevice device, CudaPlatform platform) {
        base = new KernelImage(device, platform.kernels());
        try {
            hopper = device.info().isHopper() && Boolean.parseBoolean(System.getProperty(HOPPER, "true"))
                    ? platform.hopperKernels()
                            .map(bytes -> new KernelImage(device, bytes))
                            .orElse(null)
                    : null;
        } catch (RuntimeException e) {
            base.close();
            throw e;
        }
    }

    KernelImage base() {
        return base;
    }

    Optional<KernelImage> hopper() {
        return Optional.ofNullable(hopper);
    }

    @Override
    public void close() {
        if (hopper != null) {
            hopper.close();
        }
        base.close();
    }
}
