package io.quern.backend.cuda;

import io.quern.backend.Backend;
import io.quern.backend.CudaException;
import io.quern.backend.CudaImages;
import io.quern.backend.DeviceUnavailableException;
import io.quern.backend.ffi.CudaDriver;
import io.quern.backend.ffi.DriverError;
import io.quern.tensor.QuernException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;

/** Where a driver and kernels for it come from: NVIDIA's, or the simulator that runs the same kernels on the CPU. */
public enum CudaPlatform {
    /** NVIDIA's driver, and the kernels of quern-kernels-cuda. */
    CUDA("cuda") {
        @Override
        CudaDriver driver() {
            return CudaDriver.nvidia()
                    .orElseThrow(() -> new DeviceUnavailableException(
                            DriverError.NO_DEVICE,
                            "there is no NVIDIA driver here (libcuda.so.1 cannot be loaded); " + Remedies.DRIVER + "; "
                                    + Remedies.OTHER));
        }

        @Override
        String management() {
            return NvmlEnergy.LIBRARY;
        }

        @Override
        byte[] kernels() {
            return module(BASE)
                    .orElseThrow(() -> new DeviceUnavailableException(
                            DriverError.NO_BINARY,
                            "the kernels for NVIDIA GPUs are not here; add the artefact quern-kernels-cuda, which"
                                    + " ./mvnw -Pcuda package makes where nvcc (CUDA 13) is"));
        }

        @Override
        Optional<byte[]> hopperKernels() {
            return module(HOPPER);
        }

        private Optional<byte[]> module(String module) {
            return ServiceLoader.load(CudaImages.class).stream()
                    .map(ServiceLoader.Provider::get)
                    .flatMap(images -> images.module(module).stream())
                    .findFirst();
        }
    },

    /** The simulated driver: a shared library, with the kernels in a file beside it. */
    SIMULATOR("cuda-sim") {
        @Override
        CudaDriver driver() {
            Path file = simulator();
            return CudaDriver.at(file)
                    .orElseThrow(() -> new DeviceUnavailableException(
                            DriverError.NO_DEVICE, file + " cannot be loaded as a library; build it anew"));
        }

        @Override
        String management() {
            return simulator().toAbsolutePath().toString();
        }

        @Override
        byte[] kernels() {
            return read(simulator().resolveSibling(SIMULATED_KERNELS));
        }

        @Override
        Optional<byte[]> hopperKernels() {
            return Optional.of(simulator().resolveSibling(SIMULATED_HOPPER_KERNELS))
                    .filter(Files::isRegularFile)
                    .map(this::read);
        }

        private byte[] read(Path file) {
            try {
                return Files.readAllBytes(file);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the simulator's kernels " + file, e);
            }
        }

        private Path simulator() {
            return simulatorFile()
                    .filter(Files::isRegularFile)
                    .orElseThrow(() -> new DeviceUnavailableException(
                            DriverError.NO_DEVICE,
                            "the simulated driver is not built"
                                    + simulatorFile().map(f -> " at " + f).orElse("")
                                    + "; ./quern train --backend cuda-sim builds it (with g++ and CMake), and"
                                    + " -D" + PROPERTY + " or " + VARIABLE + " names another"));
        }
    };

    /** The module of kernels that every GPU runs. */
    private static final String BASE = "base";

    /** The one that compute capability 9.0 runs as well. */
    private static final String HOPPER = "hopper";

    /** Path of the simulator's library. */
    private static final String PROPERTY = "quern.cuda.sim";

    private static final String VARIABLE = "QUERN_CUDA_SIM";
    private static final String SIMULATED_KERNELS = "libquern_sim_base.so";
    private static final String SIMULATED_HOPPER_KERNELS = "libquern_sim_hopper.so";

    /** Number of the GPU to use, among those that the driver shows. */
    private static final String ORDINAL = "quern.cuda.device";

    private final String id;

    CudaPlatform(String id) {
        this.id = id;
    }

    abstract CudaDriver driver();

    abstract byte[] kernels();

    /** Those for compute capability 9.0 alone, which no device needs; empty where they are not there. */
    abstract Optional<byte[]> hopperKernels();

    /** The library that knows how much energy a device has used. */
    abstract String management();

    /** The backend's name. */
    public String id() {
        return id;
    }

    private static Optional<Path> simulatorFile() {
        String named = System.getProperty(PROPERTY, System.getenv(VARIABLE));
        return named == null || named.isBlank() ? Optional.empty() : Optional.of(Path.of(named));
    }

    /** One line on the device that would be used. */
    public String summary() {
        return DeviceInfo.query(driver(), gpu()).summary();
    }

    /** Why there is no such backend here, with the remedy; empty when there is. */
    public Optional<String> obstacle() {
        try {
            DeviceInfo.query(driver(), gpu());
            kernels();
            return Optional.empty();
        } catch (CudaException | UncheckedIOException e) {
            return Optional.of(e.getMessage());
        }
    }

    /** Opens the device. */
    public Backend open() {
        try {
            return new CudaBackend(this, driver(), gpu());
        } catch (DeviceUnavailableException e) {
            throw new DeviceUnavailableException(e.code(), "backend " + id + " is not available: " + e.getMessage());
        } catch (UncheckedIOException e) {
            throw new QuernException("backend " + id + " is not available: " + e.getMessage(), e);
        }
    }

    private static int gpu() {
        return Integer.getInteger(ORDINAL, 0);
    }
}
