package io.quern.bench.report;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeTablesTest {
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
                    rows.append(ResultsPageTest.run(bench, "\"impl\": \"quern\", " + size, threads, 100));
                    rows.append(",")
                            .append(ResultsPageTest.run(
                                    bench, "\"impl\": \"libtorch\", " + size, threads, 100 * (threads + 1)));
                }
                Files.writeString(results.resolve(suite + suffix + ".json"), rows + "]");
                String commit = suite.equals("training") ? "abc+" : "def";
                Files.writeString(
                        results.resolve(suite + suffix + ".txt"), "A machine; commit " + commit + "; medians");
            }
        }
        Path page = folder.resolve("page.md");
        String other = "<!-- table:other/summary -->\nof another machine\n<!-- /table:other/summary -->\n";
        Files.writeString(page, other + "<!-- table:results/summary -->\n<!-- /table:results/summary -->\n");
        ReadmeTables.main(new String[] {page.toString(), results.toString()});
        String text = Files.readString(page);
        assertTrue(text.startsWith(other), text);
        assertTrue(text.contains("| **one thread**: x best peer |") && text.contains("| **2 threads**: x"), text);
        assertTrue(text.contains("| Dropout | 2.00 | 2.00 | 2 of 2 | - | 3.00 | 3.00 | 2 of 2 | - |"), text);
        assertTrue(text.contains("| TrainStep | 2.00 | 2.00 | 2 of 2 | - | 3.00 | 3.00 | 2 of 2 | - |"), text);
        String all = ResultsPage.markdown(results);
        assertTrue(
                all.contains("with one thread over 2 rows **2.00**, smallest 2.00;"
                        + " with 2 threads over 2 rows **3.00**, smallest 3.00."),
                all);
        // one sentence of conditions, and which suites are of which commit
        assertTrue(
                text.contains(
                        "A machine; commits def (bandwidth, bandwidth-2-threads), abc+ (training, training-2-threads);"
                                + " medians\n"),
                text);
        assertTrue(all.contains("A machine; commit abc+; medians\n"), all);

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
