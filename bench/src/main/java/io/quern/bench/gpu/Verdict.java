package io.quern.bench.gpu;

import io.quern.bench.duel.Row;
import io.quern.op.Cost;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Holds the rows of a run to what the CUDA backend is meant to reach; each target counts its worst row. */
final class Verdict {
    /** Below it the time of a launch counts, not the memory's. */
    private static final double LARGE = 1e8;

    /** The time of an implementation of ours with a wrong result or none: no target is met by it. */
    static final double FAILED = Double.POSITIVE_INFINITY;

    private static final String CUBE = "4096x4096x4096";

    private final double copyRate;
    private final boolean simulated;
    private final List<Target> targets;
    private final Map<String, Double> gains = new LinkedHashMap<>();

    /** A number of an implementation. */
    private record Figure(String impl, double value) {}

    /** What a row has to tell about a target, or nothing where it is about something else or misses a peer. */
    private interface Measure {
        Optional<Figure> of(Row row, Cost cost, Map<String, Double> seconds);
    }

    private static final class Target {
        private final String text;
        private final double least;
        private final Measure measure;
        private final List<Double> figures = new ArrayList<>();
        private String worst = "";

        Target(String text, double least, Measure measure) {
            this.text = text;
            this.least = least;
            this.measure = measure;
        }

        void add(Row row, double value) {
            if (figures.stream().allMatch(other -> other > value)) {
                worst = row.bench() + " " + row.parameters();
            }
            figures.add(value);
        }
    }

    /**
     * @param simulated true where sizes are tiny and times mean nothing
     * @param hopper true where ours is by wgmma, and by mma.sync only what {@link GpuRow#EVERY_GPU} times
     */
    Verdict(double copyRate, boolean simulated, boolean hopper) {
        this.copyRate = copyRate;
        this.simulated = simulated;
        targets = List.of(
                new Target(
                        "f32 matmul 4096^3, of cuBLAS",
                        0.85,
                        (row, cost, seconds) ->
                                isCube(row, "MatmulBench") ? of(seconds, "cublas", GpuRow.OURS) : Optional.empty()),
                new Target(
                        "bf16 matmul 4096^3 by mma.sync, of cuBLAS",
                        0.45,
                        (row, cost, seconds) -> isCube(row, "LowPrecisionMatmulBench") && is(row, "type", "bf16")
                                ? of(seconds, "cublas", hopper ? GpuRow.EVERY_GPU : GpuRow.OURS)
                                : Optional.empty()),
                new Target(
                        "ops bound by memory, of the copy rate",
                        0.85,
                        (row, cost, seconds) ->
                                row.bench().equals("DropoutBench") ? Optional.empty() : ofCopy(cost, seconds)),
                new Target(
                        "dropout, of the copy rate",
                        0.85,
                        (row, cost, seconds) ->
                                row.bench().equals("DropoutBench") ? ofCopy(cost, seconds) : Optional.empty()),
                new Target(
                        "conv2d forward on layers of ResNet-50, of cuDNN",
                        0.5,
                        (row, cost, seconds) -> row.bench().equals("Conv2dBench")
                                        && is(row, "pass", "forward")
                                        && !row.parameters().get("conv").contains("g")
                                ? of(seconds, "cudnn", GpuRow.OURS)
                                : Optional.empty()));
    }

    private boolean isCube(Row row, String bench) {
        return row.bench().equals(bench)
                && (simulated || is(row, "shape", CUBE))
                && row.parameters().getOrDefault("layout", "nn").equals("nn");
    }

    private static boolean is(Row row, String parameter, String value) {
        return value.equals(row.parameters().get(parameter));
    }

    private static Optional<Figure> of(Map<String, Double> seconds, String peer, String ours) {
        if (seconds.getOrDefault(ours, 0.0) == FAILED) {
            return Optional.of(new Figure(ours, 0)); // with a peer or without
        }
        return seconds.containsKey(peer) && seconds.containsKey(ours)
                ? Optional.of(new Figure(ours, seconds.get(peer) / seconds.get(ours)))
                : Optional.empty();
    }

    private Optional<Figure> ofCopy(Cost cost, Map<String, Double> seconds) {
        return cost.flops() == 0
                        && (simulated || cost.bytes() >= LARGE)
                        && cost.bytes() > 0
                        && seconds.containsKey(GpuRow.OURS)
                ? Optional.of(new Figure(GpuRow.OURS, cost.bytes() / seconds.get(GpuRow.OURS) / copyRate))
                : Optional.empty();
    }

    /**
     * Takes the medians of a row with all its parameters in, by implementation.
     *
     * @return what they say of ours, by implementation: beside the target, or beside the peer where there is none
     */
    synchronized Map<String, String> add(Row row, Cost cost, Map<String, Double> seconds) {
        Map<String, String> judgements = new HashMap<>();
        for (String impl : List.of(GpuRow.OURS, GpuRow.EVERY_GPU)) {
            for (String peer : List.of("cublas", "cudnn")) {
                of(seconds, peer, impl)
                        .ifPresent(figure -> judgements.put(
                                impl, String.format(Locale.ROOT, "%.1f %% of %s", 100 * figure.value, peer)));
            }
        }
        of(seconds, GpuRow.SERIAL, GpuRow.OURS)
                .filter(figure -> figure.value > 0 && Double.isFinite(figure.value))
                .ifPresent(figure -> {
                    gains.put(row.bench() + " " + row.parameters(), figure.value);
                    judgements.put(GpuRow.SERIAL, String.format(Locale.ROOT, "overlapping x%.3f", figure.value));
                });
        for (Target target : targets) {
            target.measure.of(row, cost, seconds).ifPresent(figure -> {
                target.add(row, figure.value);
                judgements.put(
                        figure.impl,
                        String.format(
                                Locale.ROOT,
                                "%.1f of %.0f %%: %s",
                                100 * figure.value,
                                100 * target.least,
                                judge(figure.value, target)));
            });
        }
        return judgements;
    }

    private String judge(double value, Target target) {
        return simulated ? "simulated" : value >= target.least ? "met" : "NOT MET";
    }

    /** One line per target: what it is, what was asked, the worst row, how many rows reach it; then what overlapping launches give. */
    synchronized List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format("# target %-48s %8s %8s %10s", "", "least", "worst", "rows"));
        for (Target target : targets) {
            lines.add(line(target));
        }
        if (!gains.isEmpty()) {
            lines.add(gain());
        }
        return lines;
    }

    private String gain() {
        Comparator<Map.Entry<String, Double>> byGain = Map.Entry.comparingByValue();
        Map.Entry<String, Double> least = gains.entrySet().stream().min(byGain).orElseThrow();
        Map.Entry<String, Double> most = gains.entrySet().stream().max(byGain).orElseThrow();
        double mean = Math.exp(
                gains.values().stream().mapToDouble(Math::log).average().orElseThrow());
        return String.format(
                Locale.ROOT,
                "# overlap of launches: geometric mean x%.3f of %d rows, least x%.3f %s, most x%.3f %s%s",
                mean,
                gains.size(),
                least.getValue(),
                least.getKey(),
                most.getValue(),
                most.getKey(),
                simulated ? ": simulated" : "");
    }

    private String line(Target target) {
        String start = String.format(Locale.ROOT, "# target %-48s %6.0f %%", target.text, 100 * target.least);
        if (target.figures.isEmpty()) {
            return start + "   not measured: no such row, or no peer";
        }
        double worst =
                target.figures.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
        long met =
                target.figures.stream().filter(value -> value >= target.least).count();
        return start
                + String.format(
                        Locale.ROOT,
                        " %6.1f %% %4d of %-3d %s%s",
                        100 * worst,
                        met,
                        target.figures.size(),
                        judge(worst, target),
                        target.figures.size() > 1 ? ", worst: " + target.worst : "");
    }
}
