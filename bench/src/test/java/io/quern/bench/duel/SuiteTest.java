package io.quern.bench.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SuiteTest {
    static Stream<Path> suites() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("suites"))) {
            return files.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("suites")
    void everySuiteNamesBenchmarksAndParameters(Path suite) throws IOException {
        List<String> lines = Duel.suite(suite);
        assertFalse(lines.isEmpty(), suite + " has no rows");
        for (String line : lines) {
            for (Row row : Row.expand(line)) {
                Path bench = Path.of("src/main/java/io/quern/bench", row.bench() + ".java");
                assertTrue(Files.exists(bench), suite + ": there is no " + bench);
            }
        }
    }

    @Test
    void aSuiteTakesInAnother(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("rows.txt"), "MatmulBench shape=1x1x1\n");
        Path suite = folder.resolve("suite.txt");
        Files.writeString(suite, "# jvm: -XX:UseAVX=2\n\nFmaCeilingBench bits=256 # roof\n@rows.txt\n");
        assertEquals(List.of("FmaCeilingBench bits=256", "MatmulBench shape=1x1x1"), Duel.suite(suite));
    }
}
