package io.quern.bench.report;

import io.quern.op.Cost;
import java.util.HashMap;
import java.util.Map;

/** The roofline of a machine, as FmaCeilingBench and StreamBench measured it in the same run, per number of threads. */
final class Roof {
    /** Tensors of an arithmetic op that fit in half of StreamBench's arrays may stay in a cache. */
    private static final double CACHED = 64 << 20;

    private final Map<String, Double> flops = new HashMap<>();
    private final Map<String, Double> bytes = new HashMap<>();

    Roof(Measurements measurements) {
        for (Map<String, String> row : measurements.combinations()) {
            String name = row.get("benchmark");
            for (ResultTable table : Tables.ALL) {
                if (name.contains("." + table.bench() + ".") && table.roof()) {
                    Cost cost = table.cost().apply(row);
                    double micros = measurements.median(row);
                    flops.merge(row.get("threads"), cost.flops() / micros, Math::max);
                    bytes.merge(row.get("threads"), cost.bytes() / micros, Math::max);
                }
            }
        }
    }

    /**
     * The least time of a call in microseconds: of its operations, or of its bytes where they pass the caches or are all
     * that costs. NaN where this run measured no roof.
     */
    double micros(Cost cost, String threads) {
        double peak = flops.getOrDefault(threads, Double.NaN);
        double bandwidth = bytes.getOrDefault(threads, Double.NaN);
        double moving = cost.bytes() / (bandwidth > 0 ? bandwidth : Double.NaN);
        if (cost.flops() == 0) {
            return moving;
        }
        double computing = cost.flops() / (peak > 0 ? peak : Double.NaN);
        return cost.bytes() > CACHED && moving > computing ? moving : computing;
    }
}
