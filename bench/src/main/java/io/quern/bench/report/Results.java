package io.quern.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The folder of one machine's results: a JSON per suite, with a text of the same name that says how it was measured. */
final class Results {
    private static final Pattern COMMIT = Pattern.compile("commit ([^; ]+)(?=;|$)");

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
            texts.put(
                    file,
                    Files.readString(file.resolveSibling(suite(file) + ".txt")).strip());
        }
        roof = new Roof(List.copyOf(suites.values()));
    }

    static Results of(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return new Results(files.filter(file -> file.toString().endsWith(".json"))
                    .sorted(Comparator.comparing(Results::suite)) // one thread before two
                    .toList());
        }
    }

    private static String suite(Path file) {
        return file.getFileName().toString().replace(".json", "");
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
        return conditions(suite -> !suites.get(suite).of(table.bench()).isEmpty());
    }

    /** What differs in the commit alone is said once, with the suites of each commit. */
    private String conditions(Predicate<Path> wanted) {
        Map<String, Map<String, List<String>>> suitesByCommit = new LinkedHashMap<>();
        texts.forEach((file, text) -> {
            if (wanted.test(file)) {
                Matcher commit = COMMIT.matcher(text);
                boolean found = commit.find();
                suitesByCommit
                        .computeIfAbsent(found ? commit.replaceFirst("commit") : text, key -> new LinkedHashMap<>())
                        .computeIfAbsent(found ? commit.group(1) : "", key -> new ArrayList<>())
                        .add(suite(file));
            }
        });
        List<String> paragraphs = new ArrayList<>();
        boolean named = suitesByCommit.size() > 1;
        suitesByCommit.forEach((text, suites) ->
                paragraphs.add(text.replaceFirst("commit(?=;|$)", Matcher.quoteReplacement(commits(suites, named)))));
        return String.join("\n\n", paragraphs);
    }

    private static String commits(Map<String, List<String>> suites, boolean named) {
        if (suites.size() == 1 && !named) {
            return "commit " + suites.keySet().iterator().next();
        }
        return suites.entrySet().stream()
                .map(entry -> entry.getKey() + " (" + String.join(", ", entry.getValue()) + ")")
                .collect(Collectors.joining(", ", suites.size() == 1 ? "commit " : "commits ", ""));
    }

    /** A line per benchmark, or pass of one, with the same columns for each number of threads. */
    String summary() {
        SortedSet<Integer> threads = new TreeSet<>();
        Map<String, Map<Integer, String>> lines = new LinkedHashMap<>();
        for (ResultTable table : Tables.ALL) {
            if (!table.roof() && has(table)) {
                String name = table.bench().replace("Bench", "");
                table.summary(all.of(table.bench()), roof).forEach((group, cells) -> {
                    threads.add(group.threads());
                    lines.computeIfAbsent((name + " " + group.pass()).strip(), key -> new TreeMap<>())
                            .put(group.threads(), cells);
                });
            }
        }
        StringBuilder text = new StringBuilder("| benchmark ");
        threads.forEach(count -> text.append("| **")
                .append(RowGroup.with(count))
                .append("**: x best peer | smallest | rows >= 1 | of roof "));
        text.append("|\n|---").append("|--:|--:|--:|--:".repeat(threads.size())).append("|\n");
        lines.forEach((name, cells) -> {
            text.append("| ").append(name).append(' ');
            threads.forEach(count -> text.append(cells.getOrDefault(count, "| - | - | - | - ")));
            text.append("|\n");
        });
        return text + "\n" + conditions(suite -> true) + "\n";
    }
}
