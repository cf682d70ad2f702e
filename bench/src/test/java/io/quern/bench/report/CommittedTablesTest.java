package io.quern.bench.report;

import static org.junit.jupiter.api.Assertions.fail;

import io.quern.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables in the tree are those of the raw results beside them, and of the ops and kernels that there are. */
class CommittedTablesTest {
    @ParameterizedTest
    @ValueSource(strings = {"README.md", "bench/RESULTS.md"})
    void areWhatTheResultsSay(String page) throws IOException {
        Assumptions.assumeTrue(
                Backends.probe().stream()
                        .anyMatch(
                                backend -> backend.available() && backend.name().equals("vector")),
                "without vector kernels here, the table of ops would lack their column");
        String text = Files.readString(Path.of("..", page));
        List<String> differences = new ArrayList<>();
        for (Path machine : ReadmeTables.folders(Path.of("results"))) {
            if (!Results.of(machine).isEmpty()) {
                String expected = ReadmeTables.rewritten(text, machine);
                if (expected.equals(text)) {
                    return;
                }
                differences.add(firstDifference(text, expected) + "\nrun bench/run tables bench/" + machine);
            }
        }
        // the pages show one machine
        fail(page + " has tables of no machine's results. " + String.join("\nor ", differences));
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
