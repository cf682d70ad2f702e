package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.quern.backend.Backends;
import io.quern.op.Op;
import io.quern.op.Ops;
import io.quern.tensor.Memory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The contract of every op in the catalogue on every backend of this machine. One dynamic test per op and kind of check;
 * a failure prints the line that repeats it.
 */
class ConformanceTest {
    /** What one run of all kinds promises. */
    private static final int LEAST = 20_000;

    private static final int KINDS = 4;
    private static final Set<String> kinds = new HashSet<>();
    private static int checks;
    private static final List<String> BACKENDS = Backends.probe().stream()
            .filter(backend -> backend.available() && !backend.name().startsWith("cuda"))
            .map(Backends.Availability::name)
            .toList();

    @TestFactory
    Stream<DynamicTest> agreesWithTheReference() {
        return BACKENDS.stream()
                .flatMap(backend -> perOp("agreement", backend, (suite, op) -> suite.agreement(op, backend)));
    }

    @TestFactory
    Stream<DynamicTest> hasEqualBitsForAnyNumberOfThreads() {
        return BACKENDS.stream()
                .filter(backend -> !backend.equals("reference"))
                .flatMap(backend -> perOp("threads", backend + " threads", (suite, op) -> suite.threads(op, backend)));
    }

    @TestFactory
    Stream<DynamicTest> hasTheGradientOfItsReference() {
        return perOp("gradient", "gradient", Suite::gradients);
    }

    @TestFactory
    Stream<DynamicTest> refusesBadArguments() {
        return perOp("rejections", "rejections", Suite::rejections);
    }

    private static Stream<DynamicTest> perOp(String kind, String label, BiConsumer<Suite, Op<?>> body) {
        return Ops.ALL.stream()
                .map(op -> DynamicTest.dynamicTest(op.name() + " " + label, () -> {
                    kinds.add(kind);
                    long blocks = Memory.host().liveBlocks();
                    try (Suite suite = new Suite()) {
                        body.accept(suite, op);
                        checks += suite.checks();
                        report(suite.failures());
                    }
                    assertTrue(
                            Memory.host().liveBlocks() <= blocks, "host memory leaked by the checks of " + op.name());
                }));
    }

    static void report(List<String> failures) {
        if (!failures.isEmpty()) {
            List<String> shown = new ArrayList<>(failures.subList(0, Math.min(5, failures.size())));
            fail(failures.size() + " checks failed, first " + shown.size() + ":\n" + String.join("\n", shown));
        }
    }

    @AfterAll
    static void count() {
        System.out.println("conformance: " + checks + " checks of " + Ops.ALL.size() + " ops on " + BACKENDS
                + (BACKENDS.contains("vector")
                        ? ""
                        : "; vector skipped: "
                                + Backends.probe().stream()
                                        .filter(backend -> backend.name().equals("vector"))
                                        .findFirst()
                                        .orElseThrow()
                                        .reason()));
        if (!Suite.ONLY.isEmpty()) {
            assertEquals(1, checks, "checks with the id " + Suite.ONLY + "; copy it whole from a failure");
        } else if (kinds.size() == KINDS) { // not when single methods were asked for
            assertTrue(checks >= LEAST, checks + " checks, expected at least " + LEAST);
        }
    }
}
