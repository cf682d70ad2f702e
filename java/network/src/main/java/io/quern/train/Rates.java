package io.quern.train;

import io.quern.tensor.ArgumentException;

/** Checks that schedules share. */
final class Rates {
    private Rates() {}

    static void positive(double rate) {
        if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
            throw new ArgumentException("the learning rate is " + rate + ", expected a positive number");
        }
    }

    static void fraction(double warmup) {
        if (!(warmup >= 0 && warmup < 1)) {
            throw new ArgumentException("the warm-up takes " + warmup + " of the steps, expected 0 <= warm-up < 1");
        }
    }
}
