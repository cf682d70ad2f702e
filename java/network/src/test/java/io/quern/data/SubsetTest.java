package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SubsetTest {
    private static Dataset labelled(int... labels) {
        byte[] bytes = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            bytes[i] = (byte) labels[i];
        }
        return new ByteImages(Shape.of(1, 1, 1), new byte[labels.length], bytes, List.of("a", "b", "c"));
    }

    private static int[] first(Dataset source, int count) {
        Subset subset = (Subset) Subset.first(source, count);
        return IntStream.range(0, subset.size()).map(subset::sourceIndex).toArray();
    }

    @Test
    void theFirstSamplesAreTakenInOrder() {
        assertArrayEquals(new int[] {0, 1, 2}, first(labelled(2, 0, 0, 1, 2), 3));
    }

    @Test
    void sortedClassesTakeTurns() {
        assertArrayEquals(new int[] {0, 3, 4, 1, 5}, first(labelled(0, 0, 0, 1, 2, 2), 5));
    }

    @Test
    void noMoreThanThereAre() {
        Dataset source = labelled(0, 1);
        assertSame(source, Subset.first(source, 2));
        assertThrows(ArgumentException.class, () -> Subset.first(source, -1));
    }
}
