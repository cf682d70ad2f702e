package io.quern.bench.gpu;

import io.quern.backend.Backends;
import io.quern.backend.DeviceUnavailableException;
import io.quern.backend.cuda.CudaBackend;
import io.quern.backend.cuda.DeviceRoof;
import io.quern.bench.duel.Row;
import io.quern.op.Cost;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The benchmarks of ops on a GPU, timed by its events: the classes, arguments and comparisons of JMH's, with
 * {@code impl=quern-cuda,cublas,cudnn}.
 *
 * <pre>{@code GpuBench [-backend cuda|cuda-sim] [-laps 3] [-samples 5] [-ms 20] @SUITE | BENCH name=value,... [BENCH ...]}</pre>
 *
 * The roofs, the rate of a copy and of multiply-adds in registers, are measured in the same run, before and after.
 */
public final class GpuBench {
    private final PrintStream out;
    private String backend = "cuda";
    private int laps = 3;
    private int samples = 5;
    private double milliseconds = 20;
    private final List<Row> rows = new ArrayList<>();

    GpuBench(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) throws IOException {
        GpuBench bench = new GpuBench(System.out);
        bench.parse(args);
        try {
            bench.run();
        } catch (DeviceUnavailableException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    void parse(String... args) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-backend" -> backend = args[++i];
                case "-laps" -> laps = Integer.parseInt(args[++i]);
                case "-samples" -> samples = Integer.parseInt(args[++i]);
                case "-ms" -> milliseconds = Double.parseDouble(args[++i]);
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
        if (!backend.startsWith("cuda")) {
            throw new IllegalArgumentException("-backend is " + backend + ", expected cuda or cuda-sim");
        }
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("nothing to measure: name a benchmark or @a suite");
        }
    }

    private void add(String line) {
        if (!line.isBlank()) {
            rows.addAll(Row.expand(line));
        }
    }

    void run() {
        try (CudaBackend device = (CudaBackend) Backends.of(backend, 1)) {
            out.println("# " + device.description());
            if (!backend.equals("cuda")) {
                out.println("# simulated: these numbers show that the benchmarks run, and nothing else");
            }
            double[] roofs = roofs(device);
            out.printf("%-72s %-10s %12s %14s %8s %8s%n", "# row", "impl", "us", "rate", "of roof", "spread");
            for (Row row : rows) {
                measure(row, device, roofs);
            }
            roofs(device);
        }
    }

    /** Bytes and operations per second. */
    private double[] roofs(CudaBackend device) {
        boolean simulated = !backend.equals("cuda");
        DeviceRoof roof = device.roof();
        long elements = simulated ? 1 << 16 : Math.max(1 << 26, device.cacheBytes());
        double bytes = roof.copyRate(elements, 2 * samples);
        double operations = roof.multiplyAddRate(simulated ? 4 : 1 << 14, 2 * samples);
        out.printf(
                Locale.ROOT,
                "# roofs: copy %.1f GB/s, multiply-adds in f32 %.3f TFLOP/s%n",
                bytes * 1e-9,
                operations * 1e-12);
        return new double[] {bytes, operations};
    }

    private void measure(Row row, CudaBackend device, double[] roofs) {
        try (GpuRow prepared = new GpuRow(row, device)) {
            prepared.absent().forEach(reason -> out.println("# " + row + " " + reason));
            for (GpuRow.Times times : prepared.measure(laps, samples, milliseconds)) {
                print(row, times, prepared.cost(), roofs);
            }
        }
    }

    private void print(Row row, GpuRow.Times times, Cost cost, double[] roofs) {
        double[] sorted = times.seconds();
        double median = sorted[sorted.length / 2];
        double spread = (sorted[sorted.length * 3 / 4] - sorted[sorted.length / 4]) / 2 / median;
        boolean computes = cost.flops() > 0;
        double work = computes ? cost.flops() : cost.bytes();
        String rate = work == 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        computes ? "%.3f TFLOP/s" : "%.1f GB/s",
                        work / median * (computes ? 1e-12 : 1e-9));
        String part =
                work == 0 ? "" : String.format(Locale.ROOT, "%.1f %%", 100 * work / median / roofs[computes ? 1 : 0]);
        StringBuilder name = new StringBuilder(row.bench());
        row.parameters()
                .forEach(
                        (key, value) -> name.append(' ').append(key).append('=').append(value));
        out.printf(
                Locale.ROOT,
                "%-72s %-10s %12.2f %14s %8s %6.1f %%%n",
                name,
                times.impl(),
                median * 1e6,
                rate,
                part,
                100 * spread);
    }
}
