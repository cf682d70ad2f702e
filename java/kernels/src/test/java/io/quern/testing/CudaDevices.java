package io.quern.testing;

import io.quern.backend.Backends;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** The devices that CUDA tests run on: the simulator, and a GPU where there is one. */
public final class CudaDevices implements ArgumentsProvider {
    private static final List<Backends.Availability> KNOWN = Backends.probe().stream()
            .filter(backend -> backend.name().startsWith("cuda"))
            .toList();

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

    /** Every device that is here; where there is none, the simulator, whose tests are skipped with the reason. */
    @Override
    public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
        List<String> names = available().isEmpty() ? List.of(CudaTestDevice.SIMULATOR) : available();
        return names.stream().map(name -> Arguments.of(new CudaTestDevice(name)));
    }
}
