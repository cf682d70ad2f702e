package io.quern.train;

import io.quern.tensor.ArgumentException;

/**
 * A linear warm-up to {@code base}, then half a cosine down to {@code base * floor}. Loshchilov, Hutter, "SGDR", 2017.
 *
 * @param warmup fraction of the steps that warm up, at least 0, below 1
 * @param floor fraction of the base rate that is left at the end, 0..1
 */
public record CosineDecay(double base, double warmup, double floor) implements Schedule {
    public CosineDecay {
        Rates.positive(base);
        Rates.fraction(warmup);
        if (!(floor >= 0 && floor <= 1)) {
            throw new ArgumentException("the floor of a cosine decay is " + floor + ", expected 0 to 1");
        }
    }

    public CosineDecay(double base) {
        this(base, 0, 0);
    }

    @Override
    public double rate(long step, long total) {
        double warm = warmup * total;
        if (step < warm) {
            return base * (step + 1) / Math.max(warm, step + 1);
        }
        double progress = (step - warm) / Math.max(1, total - warm);
        return base * (floor + (1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, progress))) / 2);
    }
}
