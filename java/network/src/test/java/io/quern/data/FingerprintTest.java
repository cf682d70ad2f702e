package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {
    private static final int SIZE = 700;

    private static ByteImages images(int changedPixel, int changedLabel, String lastClass) {
        byte[] pixels = new byte[SIZE * 12];
        byte[] labels = new byte[SIZE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 31 + (i == changedPixel ? 1 : 0));
        }
        for (int i = 0; i < SIZE; i++) {
            labels[i] = (byte) ((i + (i == changedLabel ? 1 : 0)) % 3);
        }
        return new ByteImages(io.quern.tensor.Shape.of(2, 2, 3), pixels, labels, List.of("a", "b", lastClass));
    }

    private static Split split(ByteImages data) {
        return Split.of(data, 0.2, 0.2, 1, "test");
    }

    private static String of(ByteImages data) {
        return Fingerprint.of(split(data), 2);
    }

    @Test
    void isTheSameForTheSameDataAndAnyNumberOfThreads() {
        String one = of(images(-1, -1, "c"));
        assertTrue(one.matches("[0-9a-f]{32}"), one);
        for (int threads : new int[] {1, 2, 3, 7}) {
            assertEquals(one, Fingerprint.of(split(images(-1, -1, "c")), threads));
        }
    }

    @Test
    void changesWithEachPixelLabelAndName() {
        String one = of(images(-1, -1, "c"));
        for (int pixel = 0; pixel < SIZE * 12; pixel += 97) {
            assertNotEquals(one, of(images(pixel, -1, "c")), "pixel " + pixel);
        }
        for (int label = 0; label < SIZE; label += 97) {
            // another label may also move the sample to another part
            assertNotEquals(one, of(images(-1, label, "c")), "label " + label);
        }
        assertNotEquals(one, of(images(-1, -1, "d")));
    }

    @Test
    void changesWithTheOrderAndTheParts() {
        ByteImages data = images(-1, -1, "c");
        Dataset empty = Subset.of(data);
        Dataset pair = Subset.of(data, 0, 1);
        String one = Fingerprint.of(new Split(data, empty, pair, ""), 1);
        assertNotEquals(one, Fingerprint.of(new Split(data, empty, Subset.of(data, 1, 0), ""), 1));
        assertNotEquals(one, Fingerprint.of(new Split(data, pair, empty, ""), 1));
        assertEquals(one, Fingerprint.of(new Split(data, empty, pair, "the description says nothing"), 1));
    }

    @Test
    void findsADamagedImageOfTheTestPart(@TempDir Path directory) throws IOException {
        byte[] good = Samples.grayPng(12, 12, 3);
        for (String part : List.of("train", "test")) {
            for (String name : List.of("a", "b")) {
                Path folder = Files.createDirectories(directory.resolve(part).resolve(name));
                Files.write(folder.resolve("1.png"), good);
                Files.write(folder.resolve("2.png"), good);
            }
        }
        Path damaged = directory.resolve("test/b/2.png");
        Files.write(damaged, java.util.Arrays.copyOf(good, good.length / 2));
        Split split = DataSource.parse("images:" + directory).load(DataOptions.of(null, 1, 2));
        String found = assertThrows(FormatException.class, () -> Fingerprint.of(split, 2))
                .getMessage();
        assertTrue(found.startsWith(damaged.toString()), found);
    }

    @Test
    void drawnDataAreKnownByTheirFormula() {
        String one = Fingerprint.of(Split.of(Strokes.train(900, 1), Strokes.test(90, 1), 0.1, 1, ""), 2);
        assertEquals(one, Fingerprint.of(Split.of(Strokes.train(900, 1), Strokes.test(90, 1), 0.1, 1, "x"), 1));
        List<Split> others = List.of(
                Split.of(Strokes.train(900, 2), Strokes.test(90, 2), 0.1, 1, ""),
                Split.of(Strokes.train(901, 1), Strokes.test(90, 1), 0.1, 1, ""),
                Split.of(Strokes.train(900, 1), Strokes.test(91, 1), 0.1, 1, ""),
                Split.of(Strokes.train(900, 1), Strokes.train(90, 1), 0.1, 1, ""),
                Split.of(Strokes.train(900, 1), Strokes.test(90, 1), 0.1, 2, ""));
        for (Split other : others) {
            assertNotEquals(one, Fingerprint.of(other, 2));
        }
    }
}
