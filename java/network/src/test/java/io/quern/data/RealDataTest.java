package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Readers on real files, where they are at hand: {@code QUERN_DATA} or {@code -Dquern.data}. */
class RealDataTest {
    private static Path part(String name) {
        Path path = Samples.realData().resolve(name);
        Assumptions.assumeTrue(Files.exists(path), "the data directory has no " + name);
        return path;
    }

    private static Split load(String text) {
        return DataSource.parse(text).load(DataOptions.of(Samples.realData(), 1, 2));
    }

    @Test
    void mnistHasThePublishedSizesAndMoments() {
        part("mnist");
        Split split = load("mnist");
        assertEquals(54_000, split.train().size());
        assertEquals(10_000, split.test().size());
        Normalization moments = Normalization.learn(split.train(), 2);
        assertEquals(0.1307, moments.mean().getFirst(), 5e-4);
        assertEquals(0.3081, moments.deviation().getFirst(), 5e-4);
        assertEquals(7, split.test().label(0));
    }

    @Test
    void cifar10TestImagesDecode() {
        Path zip = part("cifar10/test.zip");
        ImageSet images = ImageZip.open(zip, 3, 2).load();
        assertEquals(10_000, images.size());
        assertEquals(Shape.of(32, 32, 3), images.sampleShape());
        assertEquals(Cifar10.CLASSES, images.classNames());
        Normalization moments = Normalization.learn(images, 2);
        assertEquals(0.494, moments.mean().get(0), 0.01);
        assertEquals(0.451, moments.mean().get(2), 0.01);
    }

    @Test
    void tablesAreUnderstood() {
        Path tables = part("tabular");
        CsvTable german = Csv.read(tables.resolve("german.csv"), CsvOptions.DEFAULT);
        assertEquals(20, german.schema().columns().size());
        assertEquals(2, german.classes());
        assertEquals(
                7,
                german.schema().columns().stream()
                        .filter(CsvSchema.Column::isNumeric)
                        .count());
        CsvTable adult = Csv.read(
                tables.resolve("adult-train.csv"), CsvOptions.DEFAULT.withMissing(CsvOptions.Missing.DROP_ROW));
        assertEquals(30_162, adult.size());
        long positive = java.util.stream.IntStream.range(0, adult.size())
                .filter(i -> adult.label(i) == 1)
                .count();
        assertEquals(0.249, (double) positive / adult.size(), 0.001);
    }

    @Test
    void numpyArraysAreRead() {
        Path folder = part("confident-learning");
        NpyArray probabilities = Npy.read(folder.resolve("probabilities.npy"));
        assertEquals(Shape.of(50_000, 10), probabilities.shape());
        assertEquals(NpyType.F2, probabilities.type());
        for (int row = 0; row < 50_000; row += 1000) {
            double sum = 0;
            for (int c = 0; c < 10; c++) {
                sum += probabilities.get(row * 10 + c);
            }
            assertEquals(1, sum, 0.01);
        }
        NpyArray keep = Npy.read(folder.resolve("keep_argmax.npy"));
        assertTrue(keep.type() == NpyType.B1 && keep.size() == 50_000);
    }
}
