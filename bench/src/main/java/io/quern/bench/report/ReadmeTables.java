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

/**
 * Rewrites the tables of a Markdown file between their markers: {@code ReadmeTables README.md bench/results/MACHINE}.
 *
 * <p>A marker is a pair of comments, {@code <!-- table:NAME -->} and {@code <!-- /table:NAME -->}. {@code support} is the table of ops
 * and backends, {@code MACHINE/summary} that of the results in the folder of that name; all rows of these are a page of their own,
 * {@link ResultsPage}.
 */
public final class ReadmeTables {
    private ReadmeTables() {}

    /** @param args the Markdown file, the folder of results */
    public static void main(String[] args) throws IOException {
        Path readme = Path.of(args[0]);
        String text = rewritten(Files.readString(readme), Path.of(args[1]));
        ResultsPage.write(readme, text);
    }

    /** A Markdown text with the tables of a folder of results. */
    static String rewritten(String markdown, Path results) throws IOException {
        String text = markdown;
        if (text.contains("<!-- table:support -->")) {
            text = replace(text, "support", support());
        }
        String summary = results.getFileName() + "/summary";
        return text.contains("<!-- table:" + summary + " -->")
                ? replace(text, summary, Results.of(results).summary())
                : text;
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
