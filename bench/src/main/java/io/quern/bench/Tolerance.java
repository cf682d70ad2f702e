package io.quern.bench;

import io.quern.tensor.DType;

/** How far results may lie apart: |actual - expected| <= absolute + relative x |expected|. */
public record Tolerance(double absolute, double relative) {
    public static final Tolerance EXACT = new Tolerance(0, 0);

    /** Largest relative distance of two numbers that were rounded to BF16 from nearly the same one. */
    private static final double BF16_STEP = 2 * DType.BF16.unitRoundoff();

    /** After rounding to BF16. What was exact is rounded alike; else a step, which is relative: small results get no slack by it. */
    Tolerance inBf16() {
        return equals(EXACT) ? EXACT : new Tolerance(absolute, relative + BF16_STEP);
    }

    /** False for NaN. */
    boolean holds(double actual, double expected) {
        return Math.abs(actual - expected) <= absolute + relative * Math.abs(expected);
    }
}
