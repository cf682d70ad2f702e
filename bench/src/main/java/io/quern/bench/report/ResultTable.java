package io.quern.bench.report;

import io.quern.op.Cost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * One table: a row per combination of parameters, a column per implementation.
 *
 * @param title heading of the table
 * @param bench simple name of the benchmark class
 * @param unit what the columns count per second
 * @param rate that unit, from a row's parameters and its microseconds per call
 * @param cost operations and bytes of a call; bytes alone for what no arithmetic bounds
 * @param roof true for the benchmarks that measure the roof
 */
record ResultTable(
        String title, String bench, String unit, Rate rate, Function<Map<String, String>, Cost> cost, boolean roof) {
    interface Rate {
        double of(Map<String, String> row, double micros);
    }

    /** GFLOP/s of an op with operations, GB/s of one without. */
    static ResultTable of(String title, String bench, String unit, Function<Map<String, String>, Cost> cost) {
        return new ResultTable(title, bench, unit, (row, micros) -> giga(cost.apply(row)) / micros, cost, false);
    }

    static ResultTable roof(String title, String bench, String unit, Function<Map<String, String>, Cost> cost) {
        return new ResultTable(title, bench, unit, (row, micros) -> giga(cost.apply(row)) / micros, cost, true);
    }

    /** Counts what a parameter says, such as samples. */
    static ResultTable items(
            String title,
            String bench,
            String unit,
            String parameter,
            double scale,
            Function<Map<String, String>, Cost> cost) {
        return new ResultTable(
                title,
                bench,
                unit,
                (row, micros) -> scale * Double.parseDouble(row.get(parameter)) / micros,
                cost,
                false);
    }

    private static double giga(Cost cost) {
        return 1e-3 * (cost.flops() > 0 ? cost.flops() : cost.bytes());
    }

    /** The ratio is the best peer's time over ours; the last line has the geometric mean and the smallest ratio of each group. */
    String markdown(Measurements measurements, Roof roof) {
        Set<Map<String, String>> rows = measurements.rows();
        List<String> peers = measurements.implementations().stream()
                .filter(implementation -> !implementation.equals("quern"))
                .toList();
        List<String> names = new ArrayList<>(rows.iterator().next().keySet());
        names.remove("benchmark");
        StringBuilder text = new StringBuilder("| " + String.join(" | ", names));
        text.append(" | quern, ").append(unit).append(this.roof ? "" : " | of roof");
        peers.forEach(peer -> text.append(" | ").append(peer));
        text.append(peers.isEmpty() ? "" : " | best peer | x best").append(" | spread |\n|");
        text.append("---|".repeat(names.size())).append(this.roof ? "--:|" : "--:|--:|");
        text.append("--:|".repeat(peers.size()))
                .append(peers.isEmpty() ? "" : "---|--:|")
                .append("--:|\n");
        Map<RowGroup, List<Double>> ratios = new TreeMap<>();
        for (Map<String, String> row : rows) {
            List<Double> group = ratios.computeIfAbsent(RowGroup.of(row, rows), key -> new ArrayList<>());
            line(measurements, roof, peers, names, row, group, text);
        }
        ratios.values().removeIf(List::isEmpty);
        if (peers.isEmpty()) {
            text.append(shares(measurements, roof));
        }
        if (ratios.values().stream().mapToInt(List::size).sum() > 1) {
            text.append(means(ratios));
        }
        return text.toString();
    }

    private static String means(Map<RowGroup, List<Double>> ratiosByGroup) {
        List<String> parts = new ArrayList<>();
        ratiosByGroup.forEach((group, ratios) -> parts.add(String.format(
                Locale.ROOT,
                "%s over %d row%s **%.2f**, smallest %.2f",
                group.text(),
                ratios.size(),
                ratios.size() == 1 ? "" : "s",
                Math.exp(ratios.stream().mapToDouble(Math::log).average().orElseThrow()),
                ratios.stream().min(Comparator.naturalOrder()).orElseThrow())));
        return "\nGeometric mean against the best peer of each row: " + String.join("; ", parts) + ".\n";
    }

    /** How near to the roof the rows of a table without peers are; empty for the roof's own. */
    private String shares(Measurements measurements, Roof roof) {
        double[] shares = measurements.stream()
                .mapToDouble(row -> roof.micros(cost.apply(row), row) / measurements.median(row))
                .filter(share -> share > 0 && !this.roof)
                .sorted()
                .toArray();
        return shares.length < 2
                ? ""
                : String.format(
                        Locale.ROOT,
                        "%nOf the roof over %d rows: smallest **%.0f %%**, median %.0f %%.%n",
                        shares.length,
                        100 * shares[0],
                        100 * median(shares));
    }

    /** @param sorted at least one */
    static double median(double[] sorted) {
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** For each group of rows with a peer, the cells of {@link Results#summary}. */
    Map<RowGroup, String> summary(Measurements measurements, Roof roof) {
        Map<RowGroup, List<double[]>> byGroup = new TreeMap<>();
        Set<Map<String, String>> rows = measurements.rows();
        for (Map<String, String> row : rows) {
            Map<String, String> ours = with(row, "quern");
            OptionalDouble best = measurements.implementations().stream()
                    .filter(ResultTable::isPeer)
                    .map(peer -> with(row, peer))
                    .filter(measurements::has)
                    .mapToDouble(measurements::median)
                    .min();
            if (measurements.has(ours) && best.isPresent()) {
                double micros = measurements.median(ours), share = roof.micros(cost.apply(row), row) / micros;
                byGroup.computeIfAbsent(RowGroup.of(row, rows), key -> new ArrayList<>())
                        .add(new double[] {best.getAsDouble() / micros, share});
            }
        }
        Map<RowGroup, String> cells = new TreeMap<>();
        byGroup.forEach((group, list) -> cells.put(group, cells(list)));
        return cells;
    }

    private static String cells(List<double[]> ratiosAndShares) {
        double[] ratios =
                ratiosAndShares.stream().mapToDouble(pair -> pair[0]).sorted().toArray();
        double[] shares = ratiosAndShares.stream()
                .mapToDouble(pair -> pair[1])
                .filter(share -> share > 0)
                .sorted()
                .toArray();
        return String.format(
                Locale.ROOT,
                "| %.2f | %.2f | %d of %d | %s ",
                Math.exp(Arrays.stream(ratios).map(Math::log).average().orElseThrow()),
                ratios[0],
                Arrays.stream(ratios).filter(ratio -> ratio >= 1).count(),
                ratios.length,
                shares.length == 0 ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * median(shares)));
    }

    private void line(
            Measurements measurements,
            Roof roof,
            List<String> peers,
            List<String> names,
            Map<String, String> row,
            List<Double> ratios,
            StringBuilder text) {
        names.forEach(name -> text.append("| ").append(row.get(name)).append(' '));
        Map<String, String> ours = with(row, "quern");
        if (!measurements.has(ours)) {
            ours = row;
        }
        boolean measured = measurements.has(ours);
        double micros = measured ? measurements.median(ours) : Double.NaN;
        double spread = measured ? measurements.spread(ours) : 0;
        cell(text, "%.2f", rate.of(row, micros));
        if (!this.roof) {
            double share = roof.micros(cost.apply(row), row) / micros;
            cell(text, "%.0f %%", share > 0 ? 100 * share : Double.NaN);
        }
        String best = null;
        double bestMicros = Double.POSITIVE_INFINITY;
        for (String peer : peers) {
            Map<String, String> theirs = with(row, peer);
            boolean there = measurements.has(theirs);
            double time = there ? measurements.median(theirs) : Double.NaN;
            cell(text, "%.2f", rate.of(row, time));
            spread = Math.max(spread, there ? measurements.spread(theirs) : 0);
            if (time < bestMicros && isPeer(peer)) {
                bestMicros = time;
                best = peer;
            }
        }
        if (!peers.isEmpty()) {
            text.append("| ").append(best == null ? "-" : best).append(' ');
            cell(text, "%.2f", best == null ? Double.NaN : bestMicros / micros);
            if (best != null && measured) {
                ratios.add(bestMicros / micros);
            }
        }
        text.append(String.format(Locale.ROOT, "| +-%.1f %% |%n", 100 * spread));
    }

    /** Quern in another setting ({@code quern-plain}) has a column, but we do not compete with ourselves. */
    private static boolean isPeer(String impl) {
        return !impl.startsWith("quern");
    }

    private static void cell(StringBuilder text, String format, double value) {
        text.append("| ")
                .append(Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value))
                .append(' ');
    }

    private static Map<String, String> with(Map<String, String> row, String implementation) {
        Map<String, String> cell = new TreeMap<>(row);
        cell.put("impl", implementation);
        return cell;
    }
}
