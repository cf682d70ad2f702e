package io.quern.bench.report;

import io.quern.data.AtomicFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Every row of one machine's results, as a page beside them: {@code ResultsPage bench/results/MACHINE}. A folder in that of the machine
 * holds a suite that ran with JVM flags, and so with a roof, of its own.
 */
public final class ResultsPage {
    /** In the folder of the machine. */
    static final String NAME = "RESULTS.md";

    private ResultsPage() {}

    /** @param args the folder of the machine */
    public static void main(String[] args) throws IOException {
        Path machine = Path.of(args[0]);
        write(machine.resolve(NAME), markdown(machine));
    }

    static String markdown(Path machine) throws IOException {
        String name = machine.toAbsolutePath().normalize().getFileName().toString();
        StringBuilder text = new StringBuilder("# ")
                .append(name)
                .append(
                        "\n\nEvery row of every benchmark on this machine class, written by `bench/run` from the raw JSON in this folder.\n"
                                + "How to read and repeat them is in [bench/README.md](../../README.md).\n");
        append(text, "## ", Results.of(machine));
        for (Path folder : folders(machine)) {
            text.append("\n## ")
                    .append(folder.getFileName())
                    .append("\n\nVectors as the JVM's flags below the tables make them, and the roofs of these.\n");
            append(text, "### ", Results.of(folder));
        }
        return text.toString();
    }

    private static void append(StringBuilder text, String heading, Results results) {
        for (ResultTable table : Tables.ALL) {
            if (results.has(table)) {
                text.append('\n').append(heading).append(table.title()).append("\n\n");
                text.append(results.markdown(table)).append('\n');
                text.append(results.conditions(table)).append('\n');
            }
        }
    }

    static List<Path> folders(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isDirectory).sorted().toList();
        }
    }

    static void write(Path page, String text) {
        AtomicFiles.write(page, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
