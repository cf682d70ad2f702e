package io.quern.backend;

import java.util.Optional;

/**
 * Compiled CUDA kernels, found by {@link java.util.ServiceLoader}: the artefact quern-kernels-cuda provides them for NVIDIA
 * GPUs.
 */
public interface CudaImages {
    /** The bytes of a module (fatbin, cubin or PTX), for example {@code base}; empty when there is no such module. */
    Optional<byte[]> module(String name);

    /** Where they come from and what they are for, in a few words. */
    String description();
}
