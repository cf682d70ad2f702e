package io.quern.cli.report;

import io.quern.tensor.Shape;

/**
 * A test sample that the model got wrong.
 *
 * @param index in the test part
 * @param values HWC, 0..1; null until {@link #withValues}
 * @param confidence probability that the model gave to its wrong answer
 */
public record Mistake(int index, Shape shape, float[] values, String actual, String predicted, double confidence) {
    /** The same with its picture. */
    public Mistake withValues(float[] newValues) {
        return new Mistake(index, shape, newValues, actual, predicted, confidence);
    }
}
