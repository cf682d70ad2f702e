package io.quern.bench.duel;

import io.quern.bench.report.Tables;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Measures suites of rows with JMH: a JVM for every few rows, and within it the implementations of a row alternate, so
 * that a drift of the machine hits all of them alike and natives are loaded and kernels compiled once.
 *
 * <pre>{@code Duel [-o JSON] [-forks 1] [-rows 12] [-laps 3] [-i 3] [-r 60] @SUITE | BENCH name=value,... [BENCH ...]}</pre>
 *
 * {@link Selection} says what a suite file holds.
 */
public final class Duel {
    private Path json;
    private int forks = 1;
    private int rows = 12;
    private int laps = 3;
    private int iterations = 3;
    private int milliseconds = 60;
    private List<Selection.Block> blocks;

    private Duel() {}

    public static void main(String[] args) throws Exception {
        Duel duel = new Duel();
        try {
            duel.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        duel.run();
    }

    private void parse(String[] args) throws IOException {
        Selection selection = new Selection();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-o" -> json = Path.of(args[++i]);
                case "-forks" -> forks = Integer.parseInt(args[++i]);
                case "-rows" -> rows = Integer.parseInt(args[++i]);
                case "-laps" -> laps = Integer.parseInt(args[++i]);
                case "-i" -> iterations = Integer.parseInt(args[++i]);
                case "-r" -> milliseconds = Integer.parseInt(args[++i]);
                default -> selection.add(args[i]);
            }
        }
        blocks = selection.blocks();
    }

    private void run() throws IOException, InterruptedException {
        List<String> parts = new ArrayList<>();
        for (int fork = 0; fork < forks; fork++) {
            for (Selection.Block block : blocks) {
                List<Row> all = block.rows();
                for (int from = 0; from < all.size(); from += rows) {
                    List<Row> some = all.subList(from, Math.min(from + rows, all.size()));
                    String part = fork(some, block.environment());
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

    /** The results of the rows as the inside of a JSON array. A contender that kills its process is left out. */
    private String fork(List<Row> some, Map<String, String> environment) throws IOException, InterruptedException {
        List<String> parts = new ArrayList<>();
        List<Row> rest = new ArrayList<>(some);
        while (!rest.isEmpty()) {
            Path folder = Files.createTempDirectory("duel");
            try {
                Path list = folder.resolve("rows");
                Files.write(list, rest.stream().map(Row::toString).toList());
                int status = start(list, folder, rest, environment);
                for (int i = 0; Files.exists(folder.resolve(i + ".json")); i++) {
                    String array = Files.readString(folder.resolve(i + ".json")).strip();
                    String inside = array.substring(1, array.length() - 1).strip();
                    if (!inside.isEmpty()) {
                        parts.add(inside);
                    }
                    rest.removeFirst();
                }
                if (status != 0 && !rest.isEmpty()) {
                    Row row = rest.removeFirst();
                    String impl = Files.exists(folder.resolve("impl")) ? Files.readString(folder.resolve("impl")) : "";
                    System.err.println(row + ": " + impl + " is left out: it ended its process, exit code " + status);
                    if (row.impl().contains(impl) && row.impl().size() > 1) {
                        rest.addFirst(row.without(impl));
                    }
                }
            } finally {
                delete(folder);
            }
        }
        return String.join(",\n", parts);
    }

    private static int threads(List<Row> rows) {
        return rows.stream()
                .mapToInt(row -> Integer.parseInt(row.parameters().getOrDefault("threads", "1")))
                .max()
                .orElse(1);
    }

    private int start(Path list, Path folder, List<Row> rows, Map<String, String> environment)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        List<String> inherited = ManagementFactory.getRuntimeMXBean().getInputArguments();
        command.addAll(inherited);
        // compiled in the foreground: on a busy machine, a compiler thread may lag behind any warm-up by the clock
        command.add("-Xbatch");
        // touched at start: a virtual machine may take 20 us and more for a page that the heap grows into, and small
        // calls of the first rows would pay one every few calls
        if (inherited.stream().noneMatch(argument -> argument.startsWith("-Xmx"))) {
            command.addAll(List.of("-Xms256m", "-Xmn128m")); // which a smaller limit would refuse
        }
        command.add("-XX:+AlwaysPreTouch");
        // without these, JavaCPP collects garbage by the size of native memory
        command.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
        command.add("-Dorg.bytedeco.javacpp.maxbytes=0");
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.add("-XX:ErrorFile=" + folder.resolve("crash.log"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Laps.class.getName()));
        command.addAll(List.of(list.toString(), folder.toString(), "" + laps, "" + iterations, "" + milliseconds));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        // inherited, they would hold OpenBLAS to the kernels or caches of an older processor
        builder.environment().keySet().removeAll(List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"));
        // libtorch allocates every result: glibc shall keep that memory rather than fetch fresh pages at each call, in
        // huge pages as the shared tensors are. Its cache of small blocks would hold the odd ends of an aligned
        // allocation; the next one of the same size would not fit, and the heap would grow.
        builder.environment()
                .putAll(Map.of(
                        "MALLOC_ARENA_MAX", "1",
                        "MALLOC_MMAP_MAX_", "0",
                        "MALLOC_TRIM_THRESHOLD_", "68719476736",
                        "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0"));
        // Deeplearning4j takes its number from here alone, and would start a thread per core
        builder.environment().put("OMP_NUM_THREADS", "" + threads(rows));
        builder.environment().putAll(environment);
        return builder.start().waitFor();
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
