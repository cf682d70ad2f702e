package io.quern.bench;

import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Compares results before anything is timed: a fast wrong answer is not a result. */
public final class Verify {
    private Verify() {}

    /** Fails unless every pair differs by at most {@code tolerance} x (1 + |expected|). */
    public static void close(String what, float[] actual, float[] expected, double tolerance) {
        if (actual.length != expected.length) {
            throw new IllegalStateException(what + ": " + actual.length + " values, expected " + expected.length);
        }
        OptionalInt wrong = IntStream.range(0, actual.length)
                .parallel()
                .filter(i -> !(Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i]))))
                .findFirst();
        wrong.ifPresent(i -> {
            throw new IllegalStateException(
                    what + ": element " + i + " is " + actual[i] + ", expected " + expected[i] + "; not timed");
        });
    }
}
