package io.quern.bench.report;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.bench.ConvolutionSpec;
import io.quern.op.Op;
import io.quern.op.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Rewrites the tables of the README between their markers: {@code ReadmeTables README.md bench/results/MACHINE}.
 *
 * <p>A marker is a pair of comments, {@code <!-- table:NAME -->} and {@code <!-- /table:NAME -->}.
 */
public final class ReadmeTables {
    private static final List<ResultTable> TABLES = List.of(
            new ResultTable("MatmulBench", "GFLOP/s", parameters -> 2e-3 * product(parameters.get("shape"))),
            new ResultTable(
                    "Conv2dBench", "GFLOP/s", parameters -> 1e-3 * ConvolutionSpec.flops(parameters.get("conv"))),
            new ResultTable("DropoutBench", "G elements/s", parameters -> 1e-3 * number(parameters, "size")),
            new ResultTable("TrainStepBench", "samples/s", parameters -> 1e6 * number(parameters, "batch")));

    private ReadmeTables() {}

    /** @param args the README, the folder of results */
    public static void main(String[] args) throws IOException {
        Path readme = Path.of(args[0]);
        Path results = Path.of(args[1]);
        String text = Files.readString(readme);
        text = replace(text, "support", support());
        for (ResultTable table : TABLES) {
            List<Path> files;
            try (Stream<Path> all = Files.list(results)) {
                files = all.filter(file -> file.getFileName().toString().startsWith(table.bench()))
                        .filter(file -> file.getFileName().toString().endsWith(".json"))
                        .sorted()
                        .toList();
            }
            if (!files.isEmpty()) {
                Measurements measurements = new Measurements();
                for (Path file : files) {
                    measurements.read(file);
                }
                String machine = Files.readString(results.resolve(table.bench() + ".txt"))
                        .strip();
                text = replace(text, table.bench(), table.markdown(measurements) + "\n" + machine + "\n");
            }
        }
        Path temporary = readme.resolveSibling(readme.getFileName() + ".tmp");
        Files.writeString(temporary, text);
        Files.move(temporary, readme, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
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

    /** Which op has a kernel on which backend; the rest runs as reference. */
    static String support() {
        List<String> names = Backends.probe().stream()
                .filter(Backends.Availability::available)
                .map(Backends.Availability::name)
                .toList();
        List<List<Op<?>>> missing = names.stream()
                .map(name -> {
                    try (Backend backend = Backends.of(name, 1)) {
                        return backend.withoutKernel();
                    }
                })
                .toList();
        StringBuilder text = new StringBuilder("| op | gradient | " + String.join(" | ", names) + " |\n|---|---|"
                + "---|".repeat(names.size()) + "\n");
        for (Op<?> op : Ops.ALL) {
            text.append("| ").append(op.name()).append(" | ").append(op.differentiable() ? "yes" : "-");
            for (int i = 0; i < names.size(); i++) {
                boolean reference = names.get(i).equals("reference");
                text.append(" | ").append(reference || missing.get(i).contains(op) ? "reference" : "kernel");
            }
            text.append(" |\n");
        }
        return text.toString();
    }

    private static double product(String shape) {
        return Arrays.stream(shape.split("x")).mapToDouble(Double::parseDouble).reduce(1, (a, b) -> a * b);
    }

    private static double number(Map<String, String> parameters, String name) {
        return Double.parseDouble(parameters.get(name));
    }
}
