package io.quern.train;

import io.quern.tensor.ArgumentException;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How often each class was taken for each other class, and what follows from it.
 *
 * <p>A class that was never predicted has precision 0, one that never occurred recall 0. Macro averages weigh all classes
 * alike; classes that neither occurred nor were predicted do not count.
 */
public final class ConfusionMatrix {
    private final long[][] counts;

    public ConfusionMatrix(int classes) {
        if (classes < 1) {
            throw new ArgumentException("a confusion matrix needs at least 1 class, not " + classes);
        }
        counts = new long[classes][classes];
    }

    /** Counts one sample. */
    public void add(int actual, int predicted) {
        counts[check(actual)][check(predicted)]++;
    }

    private int check(int index) {
        if (index < 0 || index >= counts.length) {
            throw new ArgumentException("class " + index + " is outside 0.." + (counts.length - 1));
        }
        return index;
    }

    public int classes() {
        return counts.length;
    }

    /** Samples of class {@code actual} that were taken for class {@code predicted}. */
    public long count(int actual, int predicted) {
        return counts[check(actual)][check(predicted)];
    }

    /** Samples of a class. */
    public long actual(int index) {
        return Arrays.stream(counts[check(index)]).sum();
    }

    /** Samples taken for a class. */
    public long predicted(int index) {
        check(index);
        return Arrays.stream(counts).mapToLong(row -> row[index]).sum();
    }

    public long samples() {
        return Arrays.stream(counts).flatMapToLong(Arrays::stream).sum();
    }

    /** Share of samples that are right; NaN without samples. */
    public double accuracy() {
        long right =
                IntStream.range(0, counts.length).mapToLong(i -> counts[i][i]).sum();
        return (double) right / samples();
    }

    /** Share of the samples taken for a class that belong to it. */
    public double precision(int index) {
        return ratio(count(index, index), predicted(index));
    }

    /** Share of the samples of a class that were found. */
    public double recall(int index) {
        return ratio(count(index, index), actual(index));
    }

    /** Harmonic mean of precision and recall. */
    public double f1(int index) {
        return ratio(2 * count(index, index), actual(index) + predicted(index));
    }

    private static double ratio(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }

    public double macroPrecision() {
        return macro(this::precision);
    }

    public double macroRecall() {
        return macro(this::recall);
    }

    public double macroF1() {
        return macro(this::f1);
    }

    private double macro(IntToDoubleFunction score) {
        return IntStream.range(0, counts.length)
                .filter(i -> actual(i) + predicted(i) > 0)
                .mapToDouble(score)
                .average()
                .orElse(Double.NaN);
    }
}
