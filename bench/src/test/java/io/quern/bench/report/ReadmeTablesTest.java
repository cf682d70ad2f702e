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

class ReadmeTablesTest {
    /** 2 * 4096 * 4096 * 4096 operations, and the roof's 2 * 12 * 2^18 * lanes, in so many microseconds. */
    private static String run(String bench, String parameters, double micros) {
        return run(bench, parameters, 1, micros);
    }

    private static String run(String bench, String parameters, int threads, double micros) {
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
        Path page = folder.resolve("page.md");
        Files.writeString(
                page,
                "<!-- table:MatmulBench -->\n<!-- /table:MatmulBench -->\n"
                        + "<!-- table:avx2/MatmulBench -->\n<!-- /table:avx2/MatmulBench -->\n");
        ReadmeTables.main(new String[] {page.toString(), results.toString()});
        String text = Files.readString(page);
        String wide = text.substring(0, text.indexOf("<!-- table:avx2"));
        String narrow = text.substring(wide.length());
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
        Path page = folder.resolve("page.md");
        Files.writeString(page, "<!-- table:MatmulBench -->\n<!-- /table:MatmulBench -->\n");
        ReadmeTables.main(new String[] {page.toString(), results.toString()});
        String text = Files.readString(page);
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

    @Test
    void suitesOfTwoThreadsHaveColumnsOfTheirOwn(@TempDir Path folder) throws IOException {
        Path results = folder.resolve("results");
        Files.createDirectories(results);
        for (int threads : new int[] {1, 2}) {
            String suffix = threads == 1 ? "" : "-2-threads";
            for (String suite : new String[] {"bandwidth", "training"}) {
                String bench = suite.equals("training") ? "TrainStepBench" : "DropoutBench";
                String[] sizes = {"\"size\": \"4096\"", "\"size\": \"65536\""};
                if (suite.equals("training")) {
                    sizes = new String[] {
                        "\"model\": \"mlp\", \"batch\": \"32\"", "\"model\": \"mlp\", \"batch\": \"128\""
                    };
                }
                StringBuilder rows = new StringBuilder();
                for (String size : sizes) {
                    rows.append(rows.isEmpty() ? "[" : ",");
                    rows.append(run(bench, "\"impl\": \"quern\", " + size, threads, 100));
                    rows.append(",")
                            .append(run(bench, "\"impl\": \"libtorch\", " + size, threads, 100 * (threads + 1)));
                }
                Files.writeString(results.resolve(suite + suffix + ".json"), rows + "]");
                String commit = suite.equals("training") ? "abc+" : "def";
                Files.writeString(
                        results.resolve(suite + suffix + ".txt"), "A machine; commit " + commit + "; medians");
            }
        }
        Path page = folder.resolve("page.md");
        Files.writeString(
                page,
                "<!-- table:summary -->\n<!-- /table:summary -->\n"
                        + "<!-- table:TrainStepBench -->\n<!-- /table:TrainStepBench -->\n");
        ReadmeTables.main(new String[] {page.toString(), results.toString()});
        String text = Files.readString(page);
        assertTrue(text.contains("| **one thread**: x best peer |") && text.contains("| **2 threads**: x"), text);
        assertTrue(text.contains("| Dropout | 2.00 | 2.00 | 2 of 2 | - | 3.00 | 3.00 | 2 of 2 | - |"), text);
        assertTrue(text.contains("| TrainStep | 2.00 | 2.00 | 2 of 2 | - | 3.00 | 3.00 | 2 of 2 | - |"), text);
        assertTrue(
                text.contains("with one thread over 2 rows **2.00**, smallest 2.00;"
                        + " with 2 threads over 2 rows **3.00**, smallest 3.00."),
                text);
        // one sentence of conditions, and which suites are of which commit
        assertTrue(
                text.contains(
                        "A machine; commits def (bandwidth, bandwidth-2-threads), abc+ (training, training-2-threads);"
                                + " medians\n"),
                text);
        assertTrue(text.contains("A machine; commit abc+; medians\n"), text);

        // what differs in more than the commit says which suites it is of
        Files.writeString(results.resolve("training-2-threads.txt"), "A machine; tomorrow; commit abc+; medians");
        ReadmeTables.main(new String[] {page.toString(), results.toString()});
        String later = Files.readString(page);
        assertTrue(
                later.contains("A machine; commits def (bandwidth, bandwidth-2-threads), abc+ (training); medians\n"),
                later);
        assertTrue(later.contains("A machine; tomorrow; commit abc+ (training-2-threads); medians\n"), later);
    }
}
