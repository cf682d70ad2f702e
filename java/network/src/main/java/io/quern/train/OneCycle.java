package io.quern.train;

import io.quern.tensor.ArgumentException;

/**
 * Half a cosine up from {@code peak / start} to {@code peak}, then one down to {@code peak / end}. Smith, Topin,
 * "Super-convergence", 2018.
 *
 * @param peak the highest rate
 * @param warmup fraction of the steps that rise, at least 0, below 1
 * @param start peak over first rate, at least 1
 * @param end peak over last rate, at least 1
 */
public record OneCycle(double peak, double warmup, double start, double end) implements Schedule {
    public OneCycle {
        Rates.positive(peak);
        Rates.fraction(warmup);
        if (!(start >= 1 && end >= 1)) {
            throw new ArgumentException(
                    "a one-cycle schedule divides its peak by " + start + " and " + end + ", expected at least 1");
        }
    }

    public OneCycle(double peak) {
        this(peak, 0.3, 25, 1e4);
    }

    @Override
    public double rate(long step, long total) {
        double top = warmup * (total - 1);
        if (step < top) {
            return between(peak / start, peak, step / top);
        }
        return between(peak, peak / end, (step - top) / Math.max(1, total - 1 - top));
    }

    private static double between(double from, double to, double progress) {
        return to + (from - to) * (1 + Math.cos(Math.PI * Math.min(1, progress))) / 2;
    }
}
