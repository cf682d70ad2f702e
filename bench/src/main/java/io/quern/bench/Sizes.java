package io.quern.bench;

import java.util.Arrays;

/** Extents written as {@code 128x256}. */
final class Sizes {
    private Sizes() {}

    static int[] parse(String parameter, String text, int count) {
        if (!text.matches("\\d+(x\\d+){" + (count - 1) + "}")) {
            throw new IllegalArgumentException(
                    parameter + " is " + text + ", expected " + count + " extents such as 128x256");
        }
        return Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
    }
}
