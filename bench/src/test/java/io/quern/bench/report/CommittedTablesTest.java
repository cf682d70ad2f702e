package io.quern.bench.report;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.quern.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tables in the tree are those of the raw results beside them, and of the ops and kernels that there are. */
class CommittedTablesTest {
    private static final String README = "README.md";

    /** The folders of machines with results in JSON, or only narrower vectors' below. */
    static List<Path> machines() throws IOException {
        List<Path> machines = new ArrayList<>();
        for (Path folder : ResultsPage.folders(Path.of("results"))) {
            boolean any = !Results.of(folder).isEmpty();
            for (Path below : ResultsPage.folders(folder)) {
                any |= !Results.of(below).isEmpty();
            }
            if (any) {
                machines.add(folder);
            }
        }
        return machines;
    }

    @ParameterizedTest
    @MethodSource("machines")
    void theReadmeHasWhatTheResultsSay(Path machine) throws IOException {
        Assumptions.assumeTrue(
                Backends.probe().stream()
                        .anyMatch(
                                backend -> backend.available() && backend.name().equals("vector")),
                "without vector kernels here, the table of ops would lack their column");
        String text = Files.readString(Path.of("..", README));
        same(README, text, ReadmeTables.rewritten(text, machine), machine);
    }

    @ParameterizedTest
    @MethodSource("machines")
    void aMachinesPageHasWhatItsResultsSay(Path machine) throws IOException {
        Path page = machine.resolve(ResultsPage.NAME);
        assertTrue(Files.exists(page), page + " is missing; run bench/run tables bench/" + machine);
        same(page.toString(), Files.readString(page), ResultsPage.markdown(machine), machine);
    }

    private static void same(String page, String text, String expected, Path machine) {
        if (!expected.equals(text)) {
            fail(page + ": " + firstDifference(text, expected) + "\nrun bench/run tables bench/" + machine);
        }
    }

    private static String firstDifference(String text, String expected) {
        List<String> lines = text.lines().toList(), others = expected.lines().toList();
        int i = 0;
        while (i < Math.min(lines.size(), others.size()) && lines.get(i).equals(others.get(i))) {
            i++;
        }
        return "Line " + (i + 1) + " is\n    " + (i < lines.size() ? lines.get(i) : "missing")
                + "\nfrom bench/results\n    " + (i < others.size() ? others.get(i) : "none");
    }
}
