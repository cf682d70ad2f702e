package io.quern.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsPageTest {
    /** 2 * 4096 * 4096 * 4096 operations, and the roof's 2 * 12 * 2^18 * lanes, in so many microseconds. */
    private static String run(String bench, String parameters, double micros) {
        return run(bench, parameters, 1, micros);
    }

    static String run(String bench, String parameters, int threads, double micros) {
        return "{\"benchmark\": \"io.quern.bench." + bench + ".run\", \"params\": {" + parameters + ", \"threads\": \""
                + threads + "\"}, \"primaryMetric\": {\"score\": 1, \"rawData\": [[" + micros + "]]}}";
    }

    private static void suite(Path folder, String name, int bits, double roof, double product) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(
                folder.resolve(name + ".json"),
                "[" + run("FmaCeilingBench", "\"bits\": \"" + bits + "\"", roof) + ","
                        + run("MatmulBench", "\"impl\": \"quern\", \"shape\": \"512x512x512\"", product) + ","
                        + run("MatmulBench", "\"impl\": \"quern\", \"shape\": \"1024x1024x1024\"", 8 * product) + "]");
        Files.writeString(folder.resolve(name + ".txt"), "measured " + name);
    }

    @Test
    void aFolderOfResultsHasItsOwnTablesAndRoof(@TempDir Path folder) throws IOException {
        Path results = folder.resolve("results");
        suite(results, "matmul", 512, 1000, 2666.667); // 100.7 of 100.7 GFLOP/s
        suite(results.resolve("avx2"), "avx2", 256, 1000, 2 * 2666.667 / 0.9); // 45.3 of 50.3
        ResultsPage.main(new String[] {results.toString()});
        String text = Files.readString(results.resolve(ResultsPage.NAME));
        assertTrue(text.startsWith("# results\n\n"), text);
        String wide = text.substring(0, text.indexOf("\n## avx2\n"));
        assertTrue(wide.contains("\n## Matrix product\n\n| ") && !wide.contains("Convolution"), text);
        String narrow = text.substring(wide.length());
        assertTrue(narrow.contains("\n### Matrix product\n\n| "), text);
        assertTrue(wide.contains("| 512x512x512 | 1 | 100.66 | 100 % |") && wide.contains("measured matmul"), text);
        assertTrue(narrow.contains("| 512x512x512 | 1 | 45.30 | 90 % |") && narrow.contains("measured avx2"), text);
        assertTrue(narrow.contains("Of the roof over 2 rows: smallest **90 %**, median 90 %."), text);
    }

    @Test
    void eachSuiteIsHeldAgainstTheRoofOfItsOwnMinutes(@TempDir Path folder) throws IOException {
        Path results = folder.resolve("results");
        suite(results, "quick", 512, 1000, 2666.667); // 100.7 of 100.7 GFLOP/s
        Files.writeString(
                results.resolve("slow.json"),
                "[" + run("FmaCeilingBench", "\"bits\": \"512\"", 2000) + "," // 50.3
                        + run("MatmulBench", "\"impl\": \"quern\", \"shape\": \"256x256x256\"", 2666.667 / 4)
                        + "]"); // 50.3
        Files.writeString(results.resolve("slow.txt"), "measured slow");
        Files.writeString(
                results.resolve("without.json"),
                "[" + run("MatmulBench", "\"impl\": \"quern\", \"shape\": \"128x128x128\"", 2666.667 / 32)
                        + "]"); // 50.3
        Files.writeString(results.resolve("without.txt"), "measured without");
        String text = ResultsPage.markdown(results);
        assertTrue(text.contains("| 512x512x512 | 1 | 100.66 | 100 % |"), text);
        assertTrue(text.contains("| 256x256x256 | 1 | 50.33 | 100 % |"), text);
        assertTrue(text.contains("| 128x128x128 | 1 | 50.33 | 50 % |"), text);
    }

    @Test
    void theMedianOfTwoLiesBetweenThem() {
        assertEquals(2, ResultTable.median(new double[] {1, 3}));
        assertEquals(5, ResultTable.median(new double[] {1, 5, 7}));
    }

    @Test
    void passesStandAloneWhereATableHasRowsEnough() {
        Map<String, String> row = Map.of("threads", "2", "pass", "forward");
        assertEquals(new RowGroup(2, ""), RowGroup.of(row, Collections.nCopies(4, row)));
        RowGroup many = RowGroup.of(row, Collections.nCopies(24, row));
        assertEquals("forward with 2 threads", many.text());
        assertTrue(many.compareTo(new RowGroup(16, "")) < 0);
        assertEquals(
                "with one thread",
                RowGroup.of(Map.of("shape", "1x1x1"), List.of()).text());
    }
}
