package io.quern.bench.report;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Op;
import io.quern.op.Ops;
import io.quern.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Rewrites the tables of a Markdown file between their markers: {@code ReadmeTables README.md bench/results/MACHINE}.
 *
 * <p>A marker is a pair of comments, {@code <!-- table:NAME -->} and {@code <!-- /table:NAME -->}. {@code FOLDER/NAME} is a
 * table of a folder in that of the results, whose suites ran with JVM flags, and so with a roof, of their own.
 */
public final class ReadmeTables {
    private ReadmeTables() {}

    /** @param args the Markdown file, the folder of results */
    public static void main(String[] args) throws IOException {
        Path readme = Path.of(args[0]);
        String text = rewritten(Files.readString(readme), Path.of(args[1]));
        Path temporary = readme.resolveSibling(readme.getFileName() + ".tmp");
        Files.writeString(temporary, text);
        Files.move(temporary, readme, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    /** A Markdown text with the tables of a folder of results. */
    static String rewritten(String markdown, Path results) throws IOException {
        String text = markdown;
        if (text.contains("<!-- table:support -->")) {
            text = replace(text, "support", support());
        }
        text = fill(text, "", Results.of(results));
        for (Path folder : folders(results)) {
            text = fill(text, folder.getFileName() + "/", Results.of(folder));
        }
        return text;
    }

    static List<Path> folders(Path results) throws IOException {
        try (Stream<Path> files = Files.list(results)) {
            return files.filter(Files::isDirectory).sorted().toList();
        }
    }

    /** The tables of those benchmarks that have results and a marker, and the summary of all. */
    static String fill(String text, String prefix, Results results) {
        String filled = text;
        for (ResultTable table : Tables.ALL) {
            String name = prefix + table.bench();
            if (filled.contains("<!-- table:" + name + " -->") && results.has(table)) {
                filled = replace(filled, name, results.markdown(table) + "\n" + results.conditions(table) + "\n");
            }
        }
        String summary = prefix + "summary";
        if (filled.contains("<!-- table:" + summary + " -->") && !results.isEmpty()) {
            filled = replace(filled, summary, results.summary());
        }
        return filled;
    }

    static String replace(String text, String name, String table) {
        Pattern between =
                Pattern.compile("(<!-- table:" + name + " -->\n).*?(<!-- /table:" + name + " -->)", Pattern.DOTALL);
        Matcher matcher = between.matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("the README has no markers for table " + name);
        }
        return matcher.replaceFirst("$1" + Matcher.quoteReplacement("\n" + table + "\n") + "$2");
    }

    /**
     * Which op has a kernel on which backend; the rest runs as reference. The column of cuda is that of the catalogue, with or
     * without a device here: CudaConformanceTest fails where an op, or BF16 where the op takes it, has no CUDA kernel.
     */
    static String support() {
        List<String> names = Backends.probe().stream()
                // what is in the table must not depend on whether a device or the simulator is here
                .filter(backend -> backend.available() && !backend.name().startsWith("cuda"))
                .map(Backends.Availability::name)
                .toList();
        List<List<Op<?>>> missing = names.stream()
                .map(name -> {
                    try (Backend backend = Backends.of(name, 1)) {
                        return backend.withoutKernel();
                    }
                })
                .toList();
        StringBuilder text = new StringBuilder("| op | gradient | cuda | " + String.join(" | ", names)
                + " |\n|---|---|---|" + "---|".repeat(names.size()) + "\n");
        for (Op<?> op : Ops.ALL) {
            text.append("| ").append(op.name()).append(" | ").append(op.differentiable() ? "yes" : "-");
            text.append(op.dtypes().contains(DType.BF16) ? " | kernel, also BF16" : " | kernel");
            for (int i = 0; i < names.size(); i++) {
                boolean reference = names.get(i).equals("reference");
                text.append(" | ").append(reference || missing.get(i).contains(op) ? "reference" : "kernel");
            }
            text.append(" |\n");
        }
        return text.toString();
    }
}
