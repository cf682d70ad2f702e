package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NormalizationTest {
    /** Two images of 1x2 pixels and 2 channels: channel 0 is 0, 0, 1, 1; channel 1 is constant. */
    private static ByteImages twoChannels() {
        byte[] pixels = {0, 51, 0, 51, -1, 51, -1, 51};
        return new ByteImages(Shape.of(1, 2, 2), pixels, new byte[2], List.of("only"));
    }

    @Test
    void meansAndDeviationsArePerChannel() {
        Normalization learned = Normalization.learn(twoChannels(), 1);
        assertEquals(0.5, learned.mean().get(0), 1e-12);
        assertEquals(0.5, learned.deviation().get(0), 1e-12);
        assertEquals(0.2, learned.mean().get(1), 1e-7);
        assertEquals(1.0, learned.deviation().get(1), "a constant channel is only shifted");
        Dataset seen = Normalized.of(twoChannels(), learned);
        assertArrayEquals(new float[] {-1, 0, -1, 0}, Samples.read(seen, 0), 1e-6f);
        assertArrayEquals(new float[] {1, 0, 1, 0}, Samples.read(seen, 1), 1e-6f);
    }

    @Test
    void bitsDoNotDependOnTheNumberOfThreads() {
        ByteImages data = Samples.images(1000, 3, 3, 3, 2, i -> 0);
        Normalization one = Normalization.learn(data, 1);
        assertEquals(one, Normalization.learn(data, 2));
        assertEquals(one, Normalization.learn(data, 3));
    }

    @Test
    void agreesWithTwoPassesOverAllValues() {
        ByteImages data = Samples.images(600, 2, 2, 1, 2, i -> 0);
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < data.size(); i++) {
            for (float value : Samples.read(data, i)) {
                sum += value;
            }
        }
        double mean = sum / 2400;
        for (int i = 0; i < data.size(); i++) {
            for (float value : Samples.read(data, i)) {
                squares += (value - mean) * (value - mean);
            }
        }
        Normalization learned = Normalization.learn(data, 2);
        assertEquals(mean, learned.mean().getFirst(), 1e-12);
        assertEquals(Math.sqrt(squares / 2400), learned.deviation().getFirst(), 1e-12);
    }

    @Test
    void manyDrawnSamplesAreJudgedByEvenlySpreadOnes() {
        Strokes drawn = Strokes.train(4096, 1);
        int[] everySixteenth = IntStream.range(0, 256).map(i -> 16 * i).toArray();
        assertEquals(Normalization.learn(Subset.of(drawn, everySixteenth), 1), Normalization.learn(drawn, 2));
    }

    @Test
    void storedSamplesAreAllRead() {
        ByteImages data = Samples.images(4096, 2, 2, 1, 2, i -> 0);
        int[] everySixteenth = IntStream.range(0, 256).map(i -> 16 * i).toArray();
        assertNotEquals(Normalization.learn(Subset.of(data, everySixteenth), 1), Normalization.learn(data, 2));
    }

    @Test
    void storedNumbersAreChecked() {
        assertThrows(ArgumentException.class, () -> new Normalization(List.of(0.0), List.of()));
        assertThrows(ArgumentException.class, () -> new Normalization(List.of(0.0), List.of(0.0)));
        assertThrows(ArgumentException.class, () -> new Normalization(List.of(Double.NaN), List.of(1.0)));
        Normalization three = new Normalization(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
        assertThrows(ArgumentException.class, () -> Normalized.of(twoChannels(), three));
    }
}
