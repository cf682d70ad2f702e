package io.quern.bench.gpu;

import io.quern.backend.Backends;
import io.quern.backend.DeviceLostException;
import io.quern.backend.DeviceUnavailableException;
import io.quern.backend.cuda.CudaBackend;
import io.quern.backend.cuda.DeviceRoof;
import io.quern.bench.duel.Row;
import io.quern.bench.duel.Selection;
import io.quern.op.Cost;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * The benchmarks of ops on a GPU, timed by its events: the classes, arguments and comparisons of JMH's, with
 * {@code impl=quern-cuda,cublas,cudnn}.
 *
 * <pre>{@code GpuBench [-backend cuda|cuda-sim] [-laps 3] [-samples 5] [-ms 20] @SUITE | BENCH name=value,... [BENCH ...]}</pre>
 *
 * The roofs, the rate of a copy, of multiply-adds in registers and of tensor cores, are measured in the same run, before and
 * after. {@code quern-cuda-mma} is ours without the kernels for Hopper alone, {@code quern-cuda-serial} with launches one after the
 * other. The last column and the last lines hold the figures to
 * the targets; the lines come also when the process is asked to end before. Exit codes: 0, 2 where rows failed, 1 for all else.
 */
public final class GpuBench {
    private static final String HOPPER = "quern.cuda.hopper";
    private static final String OVERLAP = "quern.cuda.overlap";

    private final PrintStream out;
    private String backend = "cuda";
    private int laps = 3;
    private int samples = 5;
    private double milliseconds = 20;
    private final List<Row> rows = new ArrayList<>();
    private volatile Verdict verdict;
    private volatile int done;
    private volatile int failures;
    private boolean told;

    /** Bytes per second of a copy, operations per second of the rest; hopper is 0 where there is none. */
    private record Roofs(double copy, double f32, double bf16, double tf32, double hopper) {
        /** What a row, with all its parameters, is held to. */
        double of(Row row, String impl, Cost cost) {
            if (cost.flops() == 0) {
                return copy;
            }
            return switch (row.parameters().getOrDefault("type", "f32")) {
                case "bf16" -> impl.equals(GpuRow.EVERY_GPU) ? bf16 : Math.max(bf16, hopper);
                case "tf32" -> tf32;
                default -> f32;
            };
        }
    }

    GpuBench(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) throws IOException {
        GpuBench bench = new GpuBench(System.out);
        bench.parse(args);
        Runtime.getRuntime().addShutdownHook(new Thread(bench::stopped));
        try {
            if (!bench.run()) {
                System.exit(2);
            }
        } catch (DeviceUnavailableException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    void parse(String... args) throws IOException {
        Selection selection = new Selection();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-backend" -> backend = args[++i];
                case "-laps" -> laps = Integer.parseInt(args[++i]);
                case "-samples" -> samples = Integer.parseInt(args[++i]);
                case "-ms" -> milliseconds = Double.parseDouble(args[++i]);
                default -> selection.add(args[i]);
            }
        }
        if (!backend.startsWith("cuda")) {
            throw new IllegalArgumentException("-backend is " + backend + ", expected cuda or cuda-sim");
        }
        for (Selection.Block block : selection.blocks()) {
            if (!block.environment().isEmpty()) {
                throw new IllegalArgumentException(
                        "the suite wants the environment " + block.environment() + ", but its rows are measured in this"
                                + " process: set it before, and leave out the suite's line '# env:'");
            }
            rows.addAll(block.rows());
        }
    }

    /** True when every row was right. */
    boolean run() {
        try (CudaBackend device = open();
                CudaBackend everyGpu = device.isHopper() ? openWithout(HOPPER) : null;
                CudaBackend serial = device.overlaps() ? openWithout(OVERLAP) : null) {
            Map<String, CudaBackend> others = new HashMap<>();
            others.put(GpuRow.EVERY_GPU, everyGpu);
            others.put(GpuRow.SERIAL, serial);
            others.values().removeIf(Objects::isNull);
            out.println("# " + device.description());
            if (simulated()) {
                out.println("# simulated: these numbers show that the benchmarks run, and nothing else");
            }
            Roofs roofs = roofs(device);
            verdict = new Verdict(roofs.copy, simulated(), device.isHopper());
            out.printf(
                    "%-72s %-14s %12s %14s %8s %8s  %s%n",
                    "# row", "impl", "us", "rate", "of roof", "spread", "target");
            long start = System.nanoTime();
            for (Row row : rows) {
                measure(row, device, others, roofs);
                done++;
                out.flush();
            }
            out.printf(Locale.ROOT, "# %d rows took %.0f s%n", done, (System.nanoTime() - start) * 1e-9);
            roofs(device);
            summarize();
        }
        return failures == 0;
    }

    /** For a process that ends before the run does: what is known until then. */
    void stopped() {
        synchronized (this) {
            if (verdict != null && !told) {
                out.println("# stopped after " + done + " of " + rows.size() + " rows");
            }
        }
        summarize();
    }

    private synchronized void summarize() {
        if (verdict != null && !told) {
            told = true;
            verdict.lines().forEach(out::println);
            if (failures > 0) {
                out.println("# " + failures + " rows failed, see above");
            }
            out.flush();
        }
    }

    private boolean simulated() {
        return !backend.equals("cuda");
    }

    private CudaBackend open() {
        return (CudaBackend) Backends.of(backend, 1);
    }

    private CudaBackend openWithout(String feature) {
        String before = System.setProperty(feature, "false");
        try {
            return open();
        } finally {
            if (before == null) {
                System.clearProperty(feature);
            } else {
                System.setProperty(feature, before);
            }
        }
    }

    private Roofs roofs(CudaBackend device) {
        DeviceRoof roof = device.roof();
        int runs = 2 * samples;
        int rounds = simulated() ? 1 : 1 << 14;
        Roofs found = new Roofs(
                simulated()
                        ? roof.copyRate(1 << 16, 1)
                        : roof.copyRate(Math.max(1 << 26, device.cacheBytes()), 80 * samples),
                roof.multiplyAddRate(rounds, runs),
                roof.bf16Rate(rounds, runs),
                roof.tf32Rate(rounds, runs),
                roof.hopperRate(rounds, runs).orElse(0));
        out.printf(
                Locale.ROOT,
                "# roofs: copy %.1f GB/s, multiply-adds in f32 %.3f TFLOP/s; mma.sync bf16 %.3f, tf32 %.3f%s%n",
                found.copy * 1e-9,
                found.f32 * 1e-12,
                found.bf16 * 1e-12,
                found.tf32 * 1e-12,
                found.hopper == 0 ? "" : String.format(Locale.ROOT, "; wgmma bf16 %.3f", found.hopper * 1e-12));
        return found;
    }

    /** A row that goes wrong is told and left, unless the device is lost with it. */
    private void measure(Row given, CudaBackend device, Map<String, CudaBackend> others, Roofs roofs) {
        Row row = GpuRow.filled(given);
        try (GpuRow prepared = new GpuRow(row, device, others)) {
            prepared.absent().forEach(reason -> out.println("# " + given + " " + reason));
            Map<String, Double> medians = new LinkedHashMap<>();
            prepared.wrong().forEach((impl, reason) -> {
                failed(given, impl + ": " + reason);
                medians.put(impl, Verdict.FAILED);
            });
            List<GpuRow.Times> all = prepared.measure(laps, samples, milliseconds);
            all.forEach(times -> medians.put(times.impl(), times.median()));
            Map<String, String> judgements = verdict.add(row, prepared.cost(), medians);
            all.forEach(times -> print(
                    given,
                    times,
                    prepared.cost(),
                    roofs.of(row, times.impl(), prepared.cost()),
                    judgements.getOrDefault(times.impl(), "")));
        } catch (DeviceLostException | IllegalArgumentException e) {
            throw e;
        } catch (RuntimeException e) {
            failed(given, e.getMessage());
            Map<String, Double> none = new LinkedHashMap<>();
            GpuRow.ours(row).forEach(impl -> none.put(impl, Verdict.FAILED));
            verdict.add(row, GpuRow.cost(row), none);
        }
    }

    private void failed(Row row, String reason) {
        failures++;
        out.println("# " + row + " FAILED: " + reason);
    }

    private void print(Row row, GpuRow.Times times, Cost cost, double roof, String judgement) {
        double[] sorted = times.seconds();
        double median = times.median();
        double spread = (sorted[sorted.length * 3 / 4] - sorted[sorted.length / 4]) / 2 / median;
        boolean computes = cost.flops() > 0;
        double work = computes ? cost.flops() : cost.bytes();
        String rate = work == 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        computes ? "%.3f TFLOP/s" : "%.1f GB/s",
                        work / median * (computes ? 1e-12 : 1e-9));
        String part = work == 0 ? "" : String.format(Locale.ROOT, "%.1f %%", 100 * work / median / roof);
        StringBuilder name = new StringBuilder(row.bench());
        row.parameters()
                .forEach(
                        (key, value) -> name.append(' ').append(key).append('=').append(value));
        String line = String.format(
                Locale.ROOT,
                "%-72s %-14s %12.2f %14s %8s %6.1f %%  %s",
                name,
                times.impl(),
                median * 1e6,
                rate,
                part,
                100 * spread,
                judgement);
        out.println(line.stripTrailing());
    }
}
