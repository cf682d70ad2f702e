package io.quern.op;

import io.quern.tensor.Rng;

/**
 * Which elements dropout sets to zero, as a function of their index; no mask is stored. Element i is dropped when 16-bit
 * draw i of {@link Rng} (lane i mod 8 of Philox block i / 8) is below the threshold round(65536 p). The scale
 * 65536 / (65536 - threshold) belongs to the quantised p, so the expectation is exact.
 *
 * @param p probability of a zero, 0 <= p < 1, quantised to 1/65536
 * @param rng stream of the layer, step of the training
 */
public record DropoutMask(double p, Rng rng) {
    /** @throws io.quern.tensor.ArgumentException that names the op, if p is out of range */
    DropoutMask check(String op) {
        if (!(p >= 0 && p <= 65535.0 / 65536)) {
            throw Check.failed(op, "p is " + p + ", expected 0 <= p < 1");
        }
        return this;
    }

    /** Draws below this are dropped. */
    public int threshold() {
        return (int) Math.rint(p * 65536);
    }

    /** What kept elements are multiplied by. */
    public float scale() {
        return (float) (65536.0 / (65536 - threshold()));
    }

    public boolean drops(long index) {
        return rng.bits16(index) < threshold();
    }

    /** Dropout of one element in double. */
    public double apply(long index, double x) {
        return drops(index) ? 0 : x * scale();
    }
}
