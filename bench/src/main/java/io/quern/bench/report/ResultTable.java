package io.quern.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * One table of the README: a row per combination of parameters, a column per implementation.
 *
 * @param bench simple name of the benchmark class, also the name of its JSON files
 * @param unit what the columns count per second
 * @param work units of work of one call, from its parameters
 */
record ResultTable(String bench, String unit, ToDoubleFunction<Map<String, String>> work) {
    /** Microseconds per call in, work per second out; the ratio is the peer's time over ours. */
    String markdown(Measurements measurements) {
        Set<String> implementations = new LinkedHashSet<>();
        implementations.add("quern");
        Set<Map<String, String>> rows = new LinkedHashSet<>();
        for (Map<String, String> combination : measurements.combinations()) {
            implementations.add(combination.get("impl"));
            Map<String, String> row = new TreeMap<>(combination);
            row.remove("impl");
            rows.add(row);
        }
        List<String> names = new ArrayList<>(rows.iterator().next().keySet());
        names.remove("benchmark");
        StringBuilder text = new StringBuilder("| " + String.join(" | ", names));
        for (String implementation : implementations) {
            text.append(" | ").append(implementation).append(", ").append(unit);
        }
        implementations.stream().skip(1).forEach(peer -> text.append(" | x ").append(peer));
        text.append(" | spread |\n|")
                .append("---|".repeat(names.size()))
                .append("--:|".repeat(2 * implementations.size()))
                .append('\n');
        for (Map<String, String> row : rows) {
            line(measurements, implementations, names, row, text);
        }
        return text.toString();
    }

    private void line(
            Measurements measurements,
            Set<String> implementations,
            List<String> names,
            Map<String, String> row,
            StringBuilder text) {
        names.forEach(name -> text.append("| ").append(row.get(name)).append(' '));
        double worst = 0;
        for (String implementation : implementations) {
            Map<String, String> cell = with(row, implementation);
            if (measurements.has(cell)) {
                double micros = measurements.median(cell);
                text.append(String.format(Locale.ROOT, "| %.2f ", work.applyAsDouble(cell) / micros));
                worst = Math.max(worst, measurements.spread(cell));
            } else {
                text.append("| - ");
            }
        }
        for (String peer : implementations.stream().skip(1).toList()) {
            Map<String, String> ours = with(row, "quern");
            Map<String, String> theirs = with(row, peer);
            text.append(
                    measurements.has(ours) && measurements.has(theirs)
                            ? String.format(
                                    Locale.ROOT, "| %.2f ", measurements.median(theirs) / measurements.median(ours))
                            : "| - ");
        }
        text.append(String.format(Locale.ROOT, "| +-%.1f %% |%n", 100 * worst));
    }

    private static Map<String, String> with(Map<String, String> row, String implementation) {
        Map<String, String> cell = new TreeMap<>(row);
        cell.put("impl", implementation);
        return cell;
    }
}
