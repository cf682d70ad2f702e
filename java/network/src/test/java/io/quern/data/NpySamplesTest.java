package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpySamplesTest {
    @TempDir
    Path directory;

    private void save(String name, NpyArray array) {
        Npy.write(directory.resolve(name), array);
    }

    private NpySamples read() {
        return NpySamples.read(directory.resolve("x.npy"), directory.resolve("y.npy"));
    }

    private String refusal() {
        return assertThrows(FormatException.class, this::read).getMessage();
    }

    @Test
    void bytesOfImagesAreReadFromZeroToOne() {
        save("x.npy", NpyArray.of(NpyType.U1, Shape.of(2, 1, 2), 0, 255, 51, 102));
        save("y.npy", NpyArray.of(Shape.of(2), 2L, 0L));
        NpySamples data = read();
        assertEquals(Shape.of(1, 2, 1), data.sampleShape());
        assertEquals(java.util.List.of("0", "1", "2"), data.classNames());
        assertEquals(2, data.label(0));
        assertArrayEquals(new float[] {0, 1}, Samples.read(data, 0));
        assertArrayEquals(new float[] {0.2f, 0.4f}, Samples.read(data, 1), 1e-7f);
    }

    @Test
    void allElseIsReadAsItIs() {
        save("x.npy", NpyArray.of(Shape.of(2, 1, 1, 3), 1f, 2f, 3f, -4f, 500f, 6f));
        save("y.npy", NpyArray.of(NpyType.U1, Shape.of(2, 1), 0, 1));
        assertEquals(Shape.of(1, 1, 3), read().sampleShape());
        assertArrayEquals(new float[] {-4, 500, 6}, Samples.read(read(), 1));
        save("x.npy", NpyArray.of(NpyType.U1, Shape.of(2, 2), 7, 200, 3, 4));
        assertEquals(Shape.of(2), read().sampleShape());
        assertArrayEquals(new float[] {7, 200}, Samples.read(read(), 0));
    }

    @Test
    void whatDoesNotFitIsNamed() {
        save("x.npy", NpyArray.of(Shape.of(2, 2), 1f, 2f, 3f, Float.NaN));
        save("y.npy", NpyArray.of(Shape.of(2), 0, 1));
        assertTrue(refusal().contains("x.npy, element 3: NaN"), refusal());
        save("x.npy", NpyArray.of(Shape.of(4), 1f, 2f, 3f, 4f));
        assertTrue(refusal().contains("x.npy: shape (4), expected (n, features)"), refusal());
        save("x.npy", NpyArray.of(Shape.of(2, 2), 1f, 2f, 3f, 4f));
        save("y.npy", NpyArray.of(Shape.of(3), 0, 1, 1));
        assertTrue(refusal().contains("y.npy: 3 labels for 2 samples in x.npy"), refusal());
        save("y.npy", NpyArray.of(Shape.of(2), 0, -1));
        assertTrue(refusal().contains("y.npy, element 1: label -1"), refusal());
        save("y.npy", NpyArray.of(Shape.of(2), 0f, 1f));
        assertTrue(refusal().contains("y.npy: <f4[2] are no labels"), refusal());
        save("y.npy", NpyArray.of(NpyType.I4, Shape.of(2, 2), 0, 1, 1, 0));
        assertTrue(refusal().contains("argmax"), refusal());
    }

    @Test
    void aDirectoryIsSplitOrComesWithATestPart() {
        save(
                "x_train.npy",
                NpyArray.of(
                        NpyType.I4,
                        Shape.of(20, 1),
                        IntStream.range(0, 20).asDoubleStream().toArray()));
        save(
                "y_train.npy",
                NpyArray.of(Shape.of(20), IntStream.range(0, 20).map(i -> i % 2).toArray()));
        DataSource source = DataSource.parse("npy:" + directory);
        DataOptions with = DataOptions.of(null, 1, 1);
        Split whole = source.load(with);
        assertEquals(14, whole.train().size());
        assertEquals(4, whole.test().size());
        save("x_test.npy", NpyArray.of(Shape.of(3, 1), 1f, 2f, 3f));
        String missing =
                assertThrows(QuernException.class, () -> source.load(with)).getMessage();
        assertTrue(missing.contains("there is no file") && missing.contains("y_test.npy"), missing);
        save("y_test.npy", NpyArray.of(Shape.of(3), 0, 1, 1));
        Split parts = source.load(with);
        assertEquals(18, parts.train().size());
        assertEquals(3, parts.test().size());
        save("y_test.npy", NpyArray.of(Shape.of(3), 0, 1, 2));
        String unknown =
                assertThrows(FormatException.class, () -> source.load(with)).getMessage();
        assertTrue(unknown.contains("y_test.npy, element 2: label 2, expected 0 to 1"), unknown);
    }
}
