package io.quern.cli;

import io.quern.data.Augmentation;
import io.quern.data.CsvSchema;
import io.quern.data.DataOptions;
import io.quern.data.DataSource;
import io.quern.data.Dataset;
import io.quern.data.HorizontalFlip;
import io.quern.data.RandomShift;
import io.quern.data.Split;
import io.quern.data.Subset;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import java.nio.file.Path;
import java.util.Locale;

/** What {@code --data} and the options beside it mean. */
record DataChoice(DataSource source) {
    /** Of what has no test part. */
    private static final double TEST_SHARE = 0.2;

    /** Understands the text; what it does not understand is wrong usage. Nothing is read. */
    static DataChoice of(String text) {
        try {
            return new DataChoice(DataSource.parse(text));
        } catch (ArgumentException e) {
            throw new UsageException("--data: " + e.getMessage(), e);
        }
    }

    /** For names of folders: strokes, mnist, csv ... */
    String kind() {
        return source.kind().name().toLowerCase(Locale.ROOT);
    }

    /** Reads or makes the data to learn from. */
    Split load(TrainOptions options, Path folder, int threads) {
        return load(options, folder, threads, null);
    }

    /** @param schema of the table that a network was trained on; null to learn it, and for images */
    Split load(TrainOptions options, Path folder, int threads, CsvSchema schema) {
        long seed = options.fit().seed;
        double validation = options.data().validation;
        Split split = source.load(DataOptions.of(folder, seed, threads)
                .withShares(validation, TEST_SHARE)
                .withSchema(schema));
        if (split.train().size() == 0 || split.test().size() == 0) {
            throw new QuernException("the data give " + split.train().size() + " samples for training and "
                    + split.test().size() + " for the test; both need at least one");
        }
        if (options.data().augment && split.train().sampleShape().rank() != 3) {
            throw noImages();
        }
        int limit = options.data().limit;
        Dataset train = limit == 0 ? split.train() : Subset.first(split.train(), limit);
        return new Split(train, split.validation(), split.test(), split.description());
    }

    private static UsageException noImages() {
        return new UsageException("--augment is for images; leave it out with tables");
    }

    /** Small shifts; photographs are mirrored too, digits and letters are not. */
    Augmentation augmentation() {
        return switch (source.kind()) {
            case CIFAR10, IMAGES -> new RandomShift(4).then(new HorizontalFlip());
            case STROKES, MNIST, IDX, NPY -> new RandomShift(2);
            case CSV -> throw noImages();
        };
    }

    /** For example {@code MNIST: 57,000 training, 3,000 validation and 10,000 test images of 28x28x1, 10 classes}. */
    static String summary(Split split) {
        Shape shape = split.train().sampleShape();
        return String.format(
                Locale.ROOT,
                "%s: %,d training, %,d validation and %,d test %s of %s, %d classes",
                split.description(),
                split.train().size(),
                split.validation().size(),
                split.test().size(),
                shape.rank() == 3 ? "images" : "samples",
                shape,
                split.train().classes());
    }
}
