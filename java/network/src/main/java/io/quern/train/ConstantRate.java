package io.quern.train;

/** The same rate in every step. */
public record ConstantRate(double base) implements Schedule {
    public ConstantRate {
        Rates.positive(base);
    }

    @Override
    public double rate(long step, long total) {
        return base;
    }
}
