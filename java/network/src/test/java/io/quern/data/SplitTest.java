package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitTest {
    /** 100 samples: 70 of class 0, 30 of class 1. Pixel value = index. */
    private static final ByteImages DATA = Samples.images(100, 1, 1, 1, 2, i -> i < 70 ? 0 : 1);

    private static int[] values(Dataset data) {
        return IntStream.range(0, data.size())
                .map(i -> Math.round(255 * Samples.read(data, i)[0]))
                .toArray();
    }

    private static long ofClass(Dataset data, int label) {
        return IntStream.range(0, data.size())
                .filter(i -> data.label(i) == label)
                .count();
    }

    @Test
    void partsAreStratifiedDisjointAndComplete() {
        Split split = Split.of(DATA, 0.1, 0.2, 7, "d");
        assertEquals(70, split.train().size());
        assertEquals(10, split.validation().size());
        assertEquals(20, split.test().size());
        assertEquals(14, ofClass(split.test(), 0));
        assertEquals(7, ofClass(split.validation(), 0));
        assertEquals(49, ofClass(split.train(), 0));
        int[] all = IntStream.of(values(split.train())).toArray();
        all = IntStream.concat(Arrays.stream(all), Arrays.stream(values(split.validation())))
                .toArray();
        all = IntStream.concat(Arrays.stream(all), Arrays.stream(values(split.test())))
                .sorted()
                .toArray();
        assertArrayEquals(IntStream.range(0, 100).toArray(), all);
    }

    @Test
    void theChoiceIsAFunctionOfTheSeed() {
        int[] one = values(Split.of(DATA, DATA, 0.2, 1, "d").validation());
        assertArrayEquals(one, values(Split.of(DATA, DATA, 0.2, 1, "d").validation()));
        assertNotEquals(
                Arrays.toString(one),
                Arrays.toString(values(Split.of(DATA, DATA, 0.2, 2, "d").validation())));
    }

    @Test
    void leftoversGoByLargestRemainder() {
        // shares of 5 among 70 : 30 are 3.5 and 1.5: equal remainders, the first class comes first
        Dataset five = Subset.limit(DATA, 5, 3);
        assertEquals(4, ofClass(five, 0));
        assertEquals(1, ofClass(five, 1));
        assertSame(DATA, Subset.limit(DATA, 100, 3));
        assertEquals(0, Subset.limit(DATA, 0, 3).size());
    }

    @Test
    void partsThatDoNotMatchAreRefused() {
        ByteImages wide = Samples.images(4, 1, 2, 1, 2, i -> 0);
        ByteImages more = Samples.images(4, 1, 1, 1, 3, i -> 0);
        assertTrue(assertThrows(QuernException.class, () -> new Split(DATA, DATA, wide, "d"))
                .getMessage()
                .contains("1x1x1 but test samples have 1x2x1"));
        assertTrue(assertThrows(QuernException.class, () -> new Split(DATA, more, DATA, "d"))
                .getMessage()
                .contains("validation part, [0, 1, 2]"));
        assertThrows(ArgumentException.class, () -> Split.of(DATA, 0.6, 0.6, 1, "d"));
        assertThrows(ArgumentException.class, () -> Split.of(DATA, DATA, 1.0, 1, "d"));
        assertThrows(ArgumentException.class, () -> Subset.of(DATA, 100));
    }
}
