package io.quern.bench.duel;

import io.quern.bench.report.Tables;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures suites of rows with JMH: a JVM for every few rows, and within it the implementations of a row alternate, so
 * that a drift of the machine hits all of them alike and natives are loaded and kernels compiled once.
 *
 * <pre>{@code Duel [-o JSON] [-forks 1] [-rows 12] [-laps 3] [-i 3] [-r 60] @SUITE | BENCH name=value,... [BENCH ...]}</pre>
 *
 * A suite file has such a line per block; empty lines and lines from # on do not count.
 */
public final class Duel {
    private Path json;
    private int forks = 1;
    private int rows = 12;
    private int laps = 3;
    private int iterations = 3;
    private int milliseconds = 60;
    private final List<List<Row>> blocks = new ArrayList<>();

    private Duel() {}

    public static void main(String[] args) throws Exception {
        Duel duel = new Duel();
        duel.parse(args);
        duel.run();
    }

    private void parse(String[] args) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-o" -> json = Path.of(args[++i]);
                case "-forks" -> forks = Integer.parseInt(args[++i]);
                case "-rows" -> rows = Integer.parseInt(args[++i]);
                case "-laps" -> laps = Integer.parseInt(args[++i]);
                case "-i" -> iterations = Integer.parseInt(args[++i]);
                case "-r" -> milliseconds = Integer.parseInt(args[++i]);
                default -> {
                    if (args[i].startsWith("@")) {
                        for (String block : Files.readAllLines(Path.of(args[i].substring(1)))) {
                            add(block.replaceFirst("#.*", ""));
                        }
                    } else if (args[i].contains("=")) {
                        line.append(' ').append(args[i]);
                    } else {
                        add(line.toString());
                        line.setLength(0);
                        line.append(args[i]);
                    }
                }
            }
        }
        add(line.toString());
        if (blocks.isEmpty()) {
            throw new IllegalArgumentException("nothing to measure: name a benchmark or @a suite");
        }
    }

    private void add(String line) {
        if (!line.isBlank()) {
            blocks.add(Row.expand(line));
        }
    }

    private void run() throws IOException, InterruptedException {
        List<String> parts = new ArrayList<>();
        for (int fork = 0; fork < forks; fork++) {
            for (List<Row> block : blocks) {
                for (int from = 0; from < block.size(); from += rows) {
                    String part = fork(block.subList(from, Math.min(from + rows, block.size())));
                    if (!part.isBlank()) {
                        parts.add(part);
                    }
                }
            }
        }
        Path all = json == null ? Files.createTempFile("duel", ".json") : json;
        Files.writeString(all, "[\n" + String.join(",\n", parts) + "\n]\n");
        System.out.println();
        System.out.print(Tables.render(List.of(all)));
        if (json == null) {
            Files.delete(all);
        }
    }

    /** The results of the rows as the inside of a JSON array. */
    private String fork(List<Row> some) throws IOException, InterruptedException {
        Path list = Files.createTempFile("rows", ".txt");
        Path result = Files.createTempFile("rows", ".json");
        try {
            Files.write(list, some.stream().map(Row::toString).toList());
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
            // without these, JavaCPP collects garbage by the size of native memory, and queues every pointer for it
            command.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
            command.add("-Dorg.bytedeco.javacpp.maxbytes=0");
            command.add("--sun-misc-unsafe-memory-access=allow");
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Laps.class.getName()));
            command.addAll(List.of(list.toString(), result.toString(), "" + laps, "" + iterations, "" + milliseconds));
            ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
            // inherited, they would hold OpenBLAS to the kernels or caches of an older processor
            builder.environment().keySet().removeAll(List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"));
            int status = builder.start().waitFor();
            if (status != 0) {
                System.err.println("exit code " + status + " of a fork; its rows are missing: " + some);
                return "";
            }
            String text = Files.readString(result).strip();
            return text.substring(1, text.length() - 1).strip();
        } finally {
            Files.deleteIfExists(list);
            Files.deleteIfExists(result);
        }
    }
}
