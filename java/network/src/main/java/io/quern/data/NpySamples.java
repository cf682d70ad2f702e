package io.quern.data;

import io.quern.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Samples and labels in two NumPy arrays: images (n, height, width) or (n, height, width, channels), or rows
 * (n, features); labels (n) or (n, 1), integers from 0. Images of unsigned bytes are read as 0..1, all else as it is.
 */
public final class NpySamples implements Dataset {
    private static final int MAX_CLASSES = 10_000;

    private final NpyArray values;
    private final Shape shape;
    private final int[] labels;
    private final List<String> classNames;
    private final int length;
    private final float divisor;

    private NpySamples(NpyArray values, Shape shape, int[] labels, List<String> classNames) {
        this.values = values;
        this.shape = shape;
        this.labels = labels;
        this.classNames = classNames;
        this.length = Math.toIntExact(shape.elements());
        this.divisor = shape.rank() == 3 && values.type() == NpyType.U1 ? 255 : 1;
    }

    /** Classes are numbered from 0 to the largest label. */
    public static NpySamples read(Path values, Path labels) {
        int[] classes = labels(labels);
        int largest = IntStream.of(classes).max().orElse(0);
        return read(
                values,
                labels,
                classes,
                IntStream.rangeClosed(0, largest).mapToObj(Integer::toString).toList());
    }

    /** Samples of known classes, a test part for example. */
    public static NpySamples read(Path values, Path labels, List<String> classNames) {
        return read(values, labels, labels(labels), classNames);
    }

    private static NpySamples read(Path valueFile, Path labelFile, int[] labels, List<String> classNames) {
        NpyArray values = Npy.read(valueFile);
        int rank = values.shape().rank();
        if (rank < 2 || rank > 4 || values.size() == 0) {
            throw new FormatException(
                    valueFile.toString(),
                    "",
                    "shape (" + values.shape() + "), expected (n, features), (n, height, width) or"
                            + " (n, height, width, channels), and none of them 0",
                    "reshape the array before saving it");
        }
        if (values.shape().size(0) != labels.length) {
            throw new FormatException(
                    labelFile.toString(),
                    "",
                    labels.length + " labels for " + values.shape().size(0) + " samples in " + valueFile.getFileName(),
                    "use the labels that belong to these samples");
        }
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] >= classNames.size()) {
                throw odd(labelFile, i, "label " + labels[i] + ", expected 0 to " + (classNames.size() - 1));
            }
        }
        for (int i = 0; i < values.size(); i++) {
            if (!Float.isFinite((float) values.get(i))) {
                throw new FormatException(
                        valueFile.toString(),
                        "element " + i,
                        values.get(i) + " is no finite number",
                        "fill in missing values before saving the array");
            }
        }
        Shape sample = values.shape().dropFirst(1);
        Shape shape = rank == 3 ? Shape.of(sample.size(0), sample.size(1), 1) : sample;
        return new NpySamples(values, shape, labels, List.copyOf(classNames));
    }

    private static int[] labels(Path file) {
        NpyArray array = Npy.read(file);
        boolean vector = array.shape().rank() == 1
                || array.shape().rank() == 2 && array.shape().size(1) == 1;
        if (!vector || array.type() == NpyType.F2 || array.type() == NpyType.F4 || array.type() == NpyType.F8) {
            throw new FormatException(
                    file.toString(),
                    "",
                    array + " are no labels, expected (n) integers",
                    "save them with y.astype('int64'); of one-hot rows, save y.argmax(1)");
        }
        int[] labels = new int[array.size()];
        for (int i = 0; i < labels.length; i++) {
            long label = array.getLong(i);
            if (label < 0 || label >= MAX_CLASSES) {
                throw odd(file, i, "label " + label + ", expected 0 to at most " + (MAX_CLASSES - 1));
            }
            labels[i] = (int) label;
        }
        return labels;
    }

    private static FormatException odd(Path file, int index, String what) {
        return new FormatException(file.toString(), "element " + index, what, "number the classes from 0");
    }

    @Override
    public int size() {
        return labels.length;
    }

    @Override
    public Shape sampleShape() {
        return shape;
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        SampleIndex.check(index, labels.length);
        for (int i = 0; i < length; i++) {
            destination[offset + i] = (float) values.get(index * length + i) / divisor;
        }
    }

    @Override
    public int label(int index) {
        return labels[index];
    }
}
