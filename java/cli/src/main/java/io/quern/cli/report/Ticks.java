package io.quern.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Round numbers for an axis: steps of 1, 2 or 5 times a power of ten that cover a range.
 *
 * @param step distance of neighbours
 * @param values ascending, from at most the range's low end to at least its high end
 */
record Ticks(double step, List<Double> values) {
    static Ticks covering(double low, double high, int about) {
        double range = high - low;
        if (!(range > 0)) {
            range = Math.max(1e-9, Math.abs(low));
        }
        double raw = range / about;
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        double step = power * (raw / power > 5 ? 10 : raw / power > 2 ? 5 : raw / power > 1 ? 2 : 1);
        List<Double> values = new ArrayList<>();
        long first = (long) Math.floor(low / step + 1e-9);
        long last = Math.max(first + 1, (long) Math.ceil(high / step - 1e-9));
        for (long i = first; i <= last; i++) {
            values.add(i * step);
        }
        return new Ticks(step, values);
    }

    double low() {
        return values.getFirst();
    }

    double high() {
        return values.getLast();
    }

    /** With as many decimals as the step needs. */
    String label(double value) {
        int decimals = Math.clamp((int) Math.ceil(-Math.log10(step) - 1e-9), 0, 6);
        return String.format(Locale.ROOT, "%." + decimals + "f", value + 0.0);
    }
}
