package io.quern.bench.duel;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * Some rows in this JVM, a fork of {@link Duel}: for each row, the implementations alternate lap by lap, and JMH measures
 * every lap in place. The laps of an implementation become one result, as if they were forks.
 */
public final class Laps {
    private Laps() {}

    /** @param args file of rows, folder for a JSON per row, laps, measured iterations per lap, milliseconds of each */
    public static void main(String[] args) throws IOException {
        System.setProperty("quern.bench.keep", "true");
        System.setProperty("jmh.executor", "CUSTOM");
        System.setProperty("jmh.executor.class", SteadyExecutor.class.getName());
        System.setProperty("jmh.ignoreLock", "true");
        Path folder = Path.of(args[1]);
        int laps = Integer.parseInt(args[2]);
        int iterations = Integer.parseInt(args[3]);
        TimeValue time = TimeValue.milliseconds(Long.parseLong(args[4]));
        int number = 0;
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            Row row = Row.expand(line).getFirst();
            List<RunResult> measured = measure(row, laps, iterations, time, folder.resolve("impl"));
            print(row, measured);
            try (PrintStream out =
                    new PrintStream(folder.resolve(number++ + ".json").toFile())) {
                ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(measured);
            }
        }
    }

    private static List<RunResult> measure(Row row, int laps, int iterations, TimeValue time, Path current)
            throws IOException {
        Map<String, List<BenchmarkResult>> results = new LinkedHashMap<>();
        Map<String, BenchmarkParams> parameters = new LinkedHashMap<>();
        List<String> contenders = new ArrayList<>(row.impl().isEmpty() ? List.of("") : row.impl());
        for (int lap = 0; lap < laps; lap++) {
            for (String impl : List.copyOf(contenders)) {
                Files.writeString(current, impl);
                ChainedOptionsBuilder options = new OptionsBuilder()
                        .include("\\." + row.bench() + "\\.")
                        .forks(0)
                        .warmupIterations(1)
                        .warmupTime(time)
                        .measurementIterations(iterations)
                        .measurementTime(time)
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT);
                row.parameters().forEach(options::param);
                if (!impl.isEmpty()) {
                    options.param("impl", impl);
                }
                try {
                    Collection<RunResult> runs = new Runner(options.build()).run();
                    if (runs.isEmpty()) {
                        throw new IllegalArgumentException("no benchmark is called " + row.bench());
                    }
                    for (RunResult run : runs) {
                        String key = run.getParams().id();
                        parameters.putIfAbsent(key, run.getParams());
                        results.computeIfAbsent(key, k -> new ArrayList<>()).addAll(run.getBenchmarkResults());
                    }
                } catch (RunnerException e) {
                    contenders.remove(impl);
                    System.err.println(row + ": " + impl + " is left out: " + reason(e));
                }
            }
        }
        List<RunResult> merged = new ArrayList<>();
        results.forEach((key, list) -> merged.add(new RunResult(parameters.get(key), list)));
        return merged;
    }

    /** The innermost cause, its first line: what follows is a native stack. */
    private static String reason(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null || cause.getSuppressed().length > 0) {
            cause = cause.getCause() != null ? cause.getCause() : cause.getSuppressed()[0];
        }
        return String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    }

    /** Medians; in brackets the ratio to ours, of the medians and of the fastest iterations, which noise moves less. */
    private static void print(Row row, List<RunResult> results) {
        StringBuilder text = new StringBuilder(row.bench());
        row.parameters().forEach((name, value) -> text.append(' ').append(value));
        Statistics ours = null;
        for (RunResult result : results) {
            String impl = result.getParams().getParam("impl");
            Statistics time = result.getPrimaryResult().getStatistics();
            text.append(String.format(" | %s %.3f us", impl == null ? "" : impl, time.getPercentile(50)));
            if (ours != null) {
                text.append(String.format(
                        " (x %.2f, %.2f)",
                        time.getPercentile(50) / ours.getPercentile(50), time.getMin() / ours.getMin()));
            } else if (impl != null && impl.equals("quern")) {
                ours = time;
            }
        }
        System.out.println(text);
    }
}
