package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Shape;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class StrokesTest {
    @Test
    void samplesAreAFunctionOfSeedAndIndex() {
        Dataset few = Strokes.train(30, 5);
        Dataset many = Strokes.train(250, 5);
        for (int i = 0; i < few.size(); i++) {
            assertArrayEquals(Samples.read(few, i), Samples.read(many, i));
        }
        assertFalse(Arrays.equals(Samples.read(few, 3), Samples.read(Strokes.train(30, 6), 3)));
        assertFalse(Arrays.equals(Samples.read(few, 3), Samples.read(Strokes.test(30, 5), 3)));
        assertFalse(Arrays.equals(Samples.read(few, 3), Samples.read(few, 13)));
    }

    @Test
    void theBitsNeverChange() {
        Dataset data = Strokes.train(1000, 1);
        CRC32 crc = new CRC32();
        for (int i = 0; i < data.size(); i++) {
            for (float value : Samples.read(data, i)) {
                crc.update(Math.round(255 * value));
            }
        }
        // numbers in reports refer to these very images; a change here makes them another data set
        assertEquals(223695853, crc.getValue());
    }

    @Test
    void threadsThatReadTheSameSamplesAtOnceSeeThemWhole() throws InterruptedException {
        Dataset shared = Strokes.train(200, 9);
        float[][] seen = new float[400][];
        Thread forward = Thread.startVirtualThread(() -> {
            for (int i = 0; i < 200; i++) {
                seen[i] = Samples.read(shared, i);
            }
        });
        for (int i = 0; i < 200; i++) {
            seen[200 + i] = Samples.read(shared, i);
        }
        forward.join();
        Dataset alone = Strokes.train(200, 9);
        for (int i = 0; i < 200; i++) {
            float[] expected = Samples.read(alone, i);
            assertArrayEquals(expected, seen[i], "sample " + i + ", one thread");
            assertArrayEquals(expected, seen[200 + i], "sample " + i + ", other thread");
        }
    }

    @Test
    void classesAreBalancedAndImagesFillTheRange() {
        Dataset data = Strokes.train(500, 1);
        assertEquals(Shape.of(28, 28, 1), data.sampleShape());
        assertEquals(10, data.classes());
        for (int i = 0; i < data.size(); i++) {
            assertEquals(i % 10, data.label(i));
            float[] sample = Samples.read(data, i);
            float brightest = 0;
            double mean = 0;
            for (float value : sample) {
                brightest = Math.max(brightest, value);
                mean += value / sample.length;
            }
            assertTrue(brightest > 0.45 && mean > 0.02 && mean < 0.5, "image " + i + ": " + brightest + ", " + mean);
        }
    }

    @Test
    void aLinearModelDoesNotSolveIt() {
        Dataset train = Strokes.train(8000, 1);
        Normalization normalization = Normalization.learn(train, 2);
        double accuracy = SoftmaxRegression.accuracy(
                Normalized.of(train, normalization), Normalized.of(Strokes.test(2000, 1), normalization), 4);
        assertTrue(accuracy > 0.6, "linear accuracy " + accuracy + ": nothing to learn");
        assertTrue(accuracy < 0.93, "linear accuracy " + accuracy + ": too easy");
    }
}
