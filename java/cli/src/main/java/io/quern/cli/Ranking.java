package io.quern.cli;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Classes by their probability. */
final class Ranking {
    private Ranking() {}

    /** Indices, the most probable first; of equal ones the smaller index first. */
    static List<Integer> of(double[] probabilities) {
        return IntStream.range(0, probabilities.length)
                .boxed()
                .sorted(Comparator.comparingDouble(c -> -probabilities[c]))
                .toList();
    }
}
