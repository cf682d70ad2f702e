package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backends;
import io.quern.backend.cuda.CudaBackend;
import io.quern.op.Op;
import io.quern.op.Ops;
import io.quern.testing.CudaDevices;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The contract of every op that has a CUDA kernel, on the simulated driver and, where there is one, on a GPU. */
@Tag("cuda")
class CudaConformanceTest {
    private static final List<String> counts = new ArrayList<>();

    @TestFactory
    Stream<DynamicTest> agreesWithTheReference() {
        CudaDevices.require();
        return CudaDevices.available().stream()
                .flatMap(device -> Ops.ALL.stream()
                        .map(op -> DynamicTest.dynamicTest(op.name() + " " + device, () -> check(op, device))));
    }

    private static void check(Op<?> op, String device) {
        try (CudaBackend backend = (CudaBackend) Backends.of(device, 1)) {
            assertTrue(!backend.withoutKernel().contains(op), op.name() + " has no kernel on " + device);
            try (Suite suite = new Suite()) {
                suite.onDevice(op, device, backend);
                suite.narrowGradients(op, device, backend);
                counts.add(device + " " + op.name() + " " + suite.checks());
                ConformanceTest.report(suite.failures());
                assertTrue(
                        suite.checks() > 0 || Suite.SOME,
                        "no case of " + op.name() + " is covered by its kernel on " + device);
            }
            assertTrue(
                    backend.memory().liveBlocks() <= 1,
                    "device memory leaked by " + op.name() + ", beside the scratch that the backend keeps");
        }
    }

    @AfterAll
    static void count() {
        int checks = counts.stream()
                .mapToInt(line -> Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
        System.out.println("conformance: " + checks + " checks of " + counts.size() + " ops on "
                + CudaDevices.available() + CudaDevices.reasons());
    }
}
