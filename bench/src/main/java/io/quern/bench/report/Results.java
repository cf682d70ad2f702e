package io.quern.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The folder of one machine's results: a JSON per suite, with a text of the same name that says how it was measured. */
final class Results {
    private final Measurements all = new Measurements();
    private final Map<Path, Measurements> suites = new LinkedHashMap<>();
    private final Map<Path, String> texts = new LinkedHashMap<>();
    private final Roof roof;

    private Results(List<Path> files) throws IOException {
        for (Path file : files) {
            all.read(file);
            Measurements suite = new Measurements();
            suite.read(file);
            suites.put(file, suite);
            String name = file.getFileName().toString().replace(".json", ".txt");
            texts.put(file, Files.readString(file.resolveSibling(name)).strip());
        }
        roof = new Roof(List.copyOf(suites.values()));
    }

    static Results of(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return new Results(files.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList());
        }
    }

    boolean isEmpty() {
        return suites.isEmpty();
    }

    boolean has(ResultTable table) {
        return !all.of(table.bench()).isEmpty();
    }

    String markdown(ResultTable table) {
        return table.markdown(all.of(table.bench()), roof);
    }

    /** Machine, JVM, date and commit of the suites that hold rows of a table. */
    String conditions(ResultTable table) {
        return suites.entrySet().stream()
                .filter(entry -> !entry.getValue().of(table.bench()).isEmpty())
                .map(entry -> texts.get(entry.getKey()))
                .distinct()
                .collect(Collectors.joining("\n\n"));
    }

    /** A line per benchmark and number of threads. */
    String summary() {
        StringBuilder text =
                new StringBuilder("| benchmark | threads | rows | x best peer, geometric mean | smallest | median |"
                        + " rows >= 1 | of roof, median |\n|---|---|--:|--:|--:|--:|--:|--:|\n");
        for (ResultTable table : Tables.ALL) {
            if (!table.roof() && has(table)) {
                text.append(table.summary(all.of(table.bench()), roof));
            }
        }
        return text + "\n" + texts.values().stream().distinct().collect(Collectors.joining("\n\n")) + "\n";
    }
}
