package io.quern.bench;

import io.quern.tensor.Tensor;
import java.util.stream.LongStream;

/** Compares results before anything is timed: a fast wrong answer is not a result. */
public final class Verify {
    private Verify() {}

    /** Fails unless every pair differs by at most the tolerance. */
    public static void close(String what, float[] actual, float[] expected, Tolerance tolerance) {
        if (actual.length != expected.length) {
            throw new IllegalStateException(what + ": " + actual.length + " values, expected " + expected.length);
        }
        for (int i = 0; i < actual.length; i++) {
            if (!tolerance.holds(actual[i], expected[i])) {
                throw wrong(what, i, actual[i], expected[i]);
            }
        }
    }

    /** The same of tensors on the host, in any dtype, by all cores. */
    public static void close(String what, Tensor actual, Tensor expected, Tolerance tolerance) {
        if (!actual.shape().equals(expected.shape())) {
            throw new IllegalStateException(what + ": " + actual + ", expected " + expected);
        }
        LongStream.range(0, actual.elements())
                .parallel()
                .filter(i -> !tolerance.holds(actual.get(i), expected.get(i)))
                .findFirst()
                .ifPresent(i -> {
                    throw wrong(what, i, actual.get(i), expected.get(i));
                });
    }

    private static IllegalStateException wrong(String what, long element, double actual, double expected) {
        return new IllegalStateException(
                what + ": element " + element + " is " + actual + ", expected " + expected + "; not timed");
    }
}
