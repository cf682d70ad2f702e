package io.quern.bench;

import io.quern.tensor.Tensor;
import java.util.stream.LongStream;

/** Compares results before anything is timed: a fast wrong answer is not a result. */
public final class Verify {
    private Verify() {}

    /** Fails unless every pair differs by at most {@code tolerance} x (1 + |expected|). */
    public static void close(String what, float[] actual, float[] expected, double tolerance) {
        if (actual.length != expected.length) {
            throw new IllegalStateException(what + ": " + actual.length + " values, expected " + expected.length);
        }
        for (int i = 0; i < actual.length; i++) {
            if (apart(actual[i], expected[i], tolerance)) {
                throw wrong(what, i, actual[i], expected[i]);
            }
        }
    }

    /** The same of tensors on the host, in any dtype, by all cores. */
    public static void close(String what, Tensor actual, Tensor expected, double tolerance) {
        if (!actual.shape().equals(expected.shape())) {
            throw new IllegalStateException(what + ": " + actual + ", expected " + expected);
        }
        LongStream.range(0, actual.elements())
                .parallel()
                .filter(i -> apart(actual.get(i), expected.get(i), tolerance))
                .findFirst()
                .ifPresent(i -> {
                    throw wrong(what, i, actual.get(i), expected.get(i));
                });
    }

    /** NaN is apart from everything. */
    private static boolean apart(double actual, double expected, double tolerance) {
        return !(Math.abs(actual - expected) <= tolerance * (1 + Math.abs(expected)));
    }

    private static IllegalStateException wrong(String what, long element, double actual, double expected) {
        return new IllegalStateException(
                what + ": element " + element + " is " + actual + ", expected " + expected + "; not timed");
    }
}
