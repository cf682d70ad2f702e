package io.quern.testing;

import io.quern.backend.Backends;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;

/** The devices that CUDA tests run on: the simulator, and a GPU where there is one. */
public final class CudaDevices {
    private static final List<Backends.Availability> KNOWN = Backends.probe().stream()
            .filter(backend -> backend.name().startsWith("cuda"))
            .toList();

    private CudaDevices() {}

    public static List<String> available() {
        return KNOWN.stream()
                .filter(Backends.Availability::available)
                .map(Backends.Availability::name)
                .toList();
    }

    /** Why the others are missing; begins with "; ", empty when none is. */
    public static String reasons() {
        return KNOWN.stream()
                .filter(backend -> !backend.available())
                .map(backend -> "; " + backend.name() + " skipped: " + backend.reason())
                .collect(Collectors.joining());
    }

    /** Skips the test where there is neither; the simulator is there wherever g++ and CMake are. */
    public static void require() {
        Assumptions.assumeFalse(available().isEmpty(), "no CUDA device, simulated or real" + reasons());
    }
}
