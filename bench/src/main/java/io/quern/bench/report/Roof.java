package io.quern.bench.report;

import io.quern.op.Cost;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The roofline of a machine, as FmaCeilingBench and StreamBench measured it, per number of threads: for each row that of its own
 * suite, whose minutes it shares, since a virtual machine's speed changes by the hour. A suite without one takes the best of all.
 */
final class Roof {
    /** Tensors of an arithmetic op that fit in half of StreamBench's arrays may stay in a cache. */
    private static final double CACHED = 64 << 20;

    /** Operations and bytes per microsecond, by number of threads. */
    private record Peak(Map<String, Double> flops, Map<String, Double> bytes) {
        Peak() {
            this(new HashMap<>(), new HashMap<>());
        }

        void merge(String threads, double flopRate, double byteRate) {
            flops.merge(threads, flopRate, Math::max);
            bytes.merge(threads, byteRate, Math::max);
        }
    }

    private final Peak best = new Peak();
    private final Map<Map<String, String>, Peak> peaks = new HashMap<>();

    Roof(List<Measurements> suites) {
        suites.forEach(this::read);
    }

    private void read(Measurements suite) {
        Peak own = new Peak();
        for (Map<String, String> row : suite.combinations()) {
            String name = row.get("benchmark");
            for (ResultTable table : Tables.ALL) {
                if (name.contains("." + table.bench() + ".") && table.roof()) {
                    Cost cost = table.cost().apply(row);
                    double micros = suite.median(row);
                    own.merge(row.get("threads"), cost.flops() / micros, cost.bytes() / micros);
                    best.merge(row.get("threads"), cost.flops() / micros, cost.bytes() / micros);
                }
            }
        }
        suite.combinations().forEach(row -> peaks.putIfAbsent(Measurements.row(row), own));
    }

    /**
     * The least time of a row's call in microseconds: of its operations, or of its bytes where they pass the caches or are all
     * that costs. NaN where no suite measured a roof.
     */
    double micros(Cost cost, Map<String, String> row) {
        Peak own = peaks.getOrDefault(Measurements.row(row), best);
        String threads = row.get("threads");
        double moving = cost.bytes() / rate(own.bytes, best.bytes, threads);
        if (cost.flops() == 0) {
            return moving;
        }
        double computing = cost.flops() / rate(own.flops, best.flops, threads);
        return cost.bytes() > CACHED && moving > computing ? moving : computing;
    }

    /** The rate for a number of threads, from the second map where the first has none; a rate of 0 measured nothing. */
    private static double rate(Map<String, Double> own, Map<String, Double> best, String threads) {
        double rate = own.getOrDefault(threads, 0.0);
        return rate > 0 ? rate : best.getOrDefault(threads, 0.0) > 0 ? best.get(threads) : Double.NaN;
    }
}
