package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * IDX, the format of MNIST and its relatives: two zero bytes, the type (only unsigned bytes, 0x08), the rank, big-endian
 * 32-bit extents, the values. Plain or gzip. Source: LeCun, Cortes, Burges, "The MNIST database".
 */
public final class Idx {
    private static final int UNSIGNED_BYTE = 0x08;

    /** The extents of a file and its bytes in row-major order. */
    public record Array(Shape shape, byte[] values) {}

    private Idx() {}

    /** Reads a whole file; its announced size is compared with the file's length before memory is allocated. */
    public static Array read(Path path) {
        try (Input in = Input.open(path)) {
            return parse(in);
        }
    }

    static Array parse(String file, InputStream raw, long length) {
        try (Input in = Input.open(file, raw, length)) {
            return parse(in);
        }
    }

    private static Array parse(Input in) {
        byte[] magic = in.exactly(4, "IDX magic");
        if (magic[0] != 0 || magic[1] != 0 || magic[2] != UNSIGNED_BYTE || magic[3] < 1 || magic[3] > 4) {
            throw new FormatException(
                    in.file(),
                    "byte 0",
                    String.format(
                            "not IDX data of unsigned bytes: starts with %02x %02x %02x %02x, expected 00 00 08 and a"
                                    + " rank of 1 to 4",
                            magic[0], magic[1], magic[2], magic[3]),
                    "check that this is the right file");
        }
        int rank = magic[3];
        ByteBuffer header = ByteBuffer.wrap(in.exactly(4 * rank, "IDX extents"));
        long[] extents = new long[rank];
        long product = 1;
        for (int axis = 0; axis < rank; axis++) {
            extents[axis] = header.getInt() & 0xffffffffL;
            // at most 2^31 x 2^32: cannot overflow
            product *= extents[axis];
            if (product > Input.MAX_ARRAY || extents[axis] > Integer.MAX_VALUE) {
                throw tooLarge(in, 4 + 4 * axis, extents);
            }
        }
        if (!in.canHold(product)) {
            throw new FormatException(
                    in.file(),
                    "byte " + in.position(),
                    "truncated: extents " + Arrays.toString(extents) + " need " + product
                            + " bytes after the header, and the file is too short for that",
                    "fetch the file again");
        }
        byte[] values = new byte[(int) product];
        long start = in.position();
        int found = in.read(values, 0, values.length);
        if (found < values.length) {
            throw in.truncated(start, "values " + Arrays.toString(extents), product, found);
        }
        in.requireEnd();
        return new Array(Shape.of(extents), values);
    }

    private static FormatException tooLarge(Input in, int position, long[] extents) {
        return new FormatException(
                in.file(),
                "byte " + position,
                "extents " + Arrays.toString(extents) + " announce more than " + Input.MAX_ARRAY + " bytes",
                "split the file, or check that it is not corrupt");
    }

    /** Labelled images from two files of (count, height, width[, channels]) and (count) bytes. */
    public static ByteImages images(Path images, Path labels, List<String> classNames) {
        Array pixels = read(images);
        Array classes = read(labels);
        if (pixels.shape().rank() < 3) {
            throw new FormatException(
                    images.toString(),
                    "byte 3",
                    "rank " + pixels.shape().rank() + ", expected 3 or 4: count, height, width, channels",
                    "give the image file here and the label file as labels");
        }
        if (classes.shape().rank() != 1
                || classes.shape().size(0) != pixels.shape().size(0)) {
            throw new FormatException(
                    labels.toString(),
                    "byte 4",
                    classes.shape() + " labels for " + pixels.shape().size(0) + " images in " + images.getFileName(),
                    "use the image and label files of the same set");
        }
        for (int i = 0; i < classes.values().length; i++) {
            if ((classes.values()[i] & 0xff) >= classNames.size()) {
                throw new FormatException(
                        labels.toString(),
                        "byte " + (8L + i),
                        "label " + (classes.values()[i] & 0xff) + ", expected 0 to " + (classNames.size() - 1),
                        "use the label file that belongs to these classes");
            }
        }
        Shape sample = pixels.shape().dropFirst(1);
        Shape shape = sample.rank() == 3 ? sample : Shape.of(sample.size(0), sample.size(1), 1);
        if (shape.elements() == 0) {
            throw new FormatException(
                    images.toString(), "byte 8", "images of " + shape + " have no pixels", "check the file");
        }
        return new ByteImages(shape, pixels.values(), classes.values(), classNames);
    }

    /**
     * The training and test set of a directory with the MNIST file names, {@code train-images-idx3-ubyte} and so on;
     * {@code .gz}, a dot before {@code idx}, and a prefix as in EMNIST are understood. Classes are numbered.
     */
    public static List<ByteImages> directory(Path directory) {
        Path trainLabels = find(directory, "train-labels", 1);
        byte[] labels = read(trainLabels).values();
        int classes = 1
                + IntStream.range(0, labels.length)
                        .map(i -> labels[i] & 0xff)
                        .max()
                        .orElse(0);
        List<String> names =
                IntStream.range(0, classes).mapToObj(Integer::toString).toList();
        return List.of(
                images(find(directory, "train-images", 3), trainLabels, names),
                images(findTest(directory, "images", 3), findTest(directory, "labels", 1), names));
    }

    private static Path findTest(Path directory, String what, int rank) {
        return candidates(directory, "t10k-" + what, rank).isEmpty()
                ? find(directory, "test-" + what, rank)
                : find(directory, "t10k-" + what, rank);
    }

    private static Path find(Path directory, String stem, int rank) {
        List<Path> found = candidates(directory, stem, rank);
        if (found.size() != 1) {
            throw new ArgumentException("expected one file " + stem + "-idx" + rank + "-ubyte or ...ubyte.gz in "
                    + directory + ", found " + (found.isEmpty() ? "none" : found) + "; check the directory");
        }
        return found.getFirst();
    }

    private static List<Path> candidates(Path directory, String stem, int rank) {
        if (!Files.isDirectory(directory)) {
            throw new ArgumentException("there is no directory " + directory + "; check the path");
        }
        String pattern = "(.*-)?" + stem + "[-.]idx" + rank + "-ubyte(\\.gz)?";
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(p -> p.getFileName().toString().matches(pattern))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw Input.failure(directory, e);
        }
    }
}
