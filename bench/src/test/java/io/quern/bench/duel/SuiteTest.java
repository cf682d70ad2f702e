package io.quern.bench.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.bench.TrainStepBench;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
        List<Selection.Block> blocks = Selection.suite(suite);
        assertFalse(blocks.isEmpty(), suite + " has no rows");
        for (Selection.Block block : blocks) {
            for (Row row : block.rows()) {
                Path bench = Path.of("src/main/java/io/quern/bench", row.bench() + ".java");
                assertTrue(Files.exists(bench), suite + ": there is no " + bench);
                if (row.bench().equals("TrainStepBench")) {
                    boolean one = row.parameters().getOrDefault("threads", "1").equals("1");
                    assertEquals(one ? Map.of() : TrainStepBench.ENVIRONMENT, block.environment(), suite + ": " + row);
                }
            }
        }
    }

    @Test
    void aSuiteTakesInAnother(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("rows.txt"), "# env: A=inner\nMatmulBench shape=1x1x1,2x2x2\n");
        Path suite = folder.resolve("suite.txt");
        Files.writeString(
                suite, "# jvm: -XX:UseAVX=2\n\nFmaCeilingBench bits=256 # roof\n@rows.txt\n#env: A=outer B=x=y C=\n");
        Map<String, String> outer = Map.of("A", "outer", "B", "x=y", "C", "");
        Map<String, String> inner = Map.of("A", "inner", "B", "x=y", "C", "");
        List<Selection.Block> expected = List.of(
                new Selection.Block(Row.expand("FmaCeilingBench bits=256"), outer),
                new Selection.Block(Row.expand("MatmulBench shape=1x1x1,2x2x2"), inner));
        assertEquals(expected, Selection.suite(suite));
    }

    @Test
    void aCommandLineHasRowsAndSuitesInItsOrder(@TempDir Path folder) throws IOException {
        Path suite = folder.resolve("suite.txt");
        Files.writeString(suite, "# env: A=1\nStreamBench kernel=copy\n");
        Selection selection = new Selection();
        for (String word : ("MatmulBench shape=1x1x1 layout=nn @" + suite + " FmaCeilingBench").split(" ")) {
            selection.add(word);
        }
        List<Selection.Block> expected = List.of(
                new Selection.Block(Row.expand("MatmulBench shape=1x1x1 layout=nn"), Map.of()),
                new Selection.Block(Row.expand("StreamBench kernel=copy"), Map.of("A", "1")),
                new Selection.Block(Row.expand("FmaCeilingBench"), Map.of()));
        assertEquals(expected, selection.blocks());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "# env: OMP_WAIT_POLICY         | 'OMP_WAIT_POLICY' after '# env:', expected NAME=VALUE",
                "# env: A=1 OMP POLICY=2        | 'OMP' after '# env:', expected NAME=VALUE",
                "# env: 2A=1                    | '2A=1' after '# env:', expected a NAME of letters",
                "# env: =1                      | '=1' after '# env:', expected a NAME of letters",
                "# env: OMP-WAIT-POLICY=passive | 'OMP-WAIT-POLICY=passive' after '# env:', expected a NAME",
                "# env: A=1 A=2                 | A is set a second time",
                "# env:                         | '# env:' without NAME=VALUE",
                "MatmulBench # env: A=1         | '# env:' stands behind a row",
            })
    void aWrongEnvironmentIsTold(String line, String message, @TempDir Path folder) throws IOException {
        Path suite = folder.resolve("suite.txt");
        Files.writeString(suite, "StreamBench\n" + line + "\n");
        Exception e = assertThrows(IllegalArgumentException.class, () -> Selection.suite(suite));
        assertTrue(e.getMessage().startsWith(suite + ", line 2: " + message), e.getMessage());
    }

    @Test
    void nothingToMeasureIsTold(@TempDir Path folder) {
        Exception none = assertThrows(IllegalArgumentException.class, () -> new Selection().blocks());
        assertEquals("nothing to measure: name a benchmark or @a suite", none.getMessage());
        Path absent = folder.resolve("absent.txt");
        Exception missing = assertThrows(IllegalArgumentException.class, () -> new Selection().add("@" + absent));
        assertEquals("there is no suite " + absent, missing.getMessage());
    }
}
