package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * CIFAR-10 in its binary version: files of records of one label byte and 3 x 32 x 32 bytes, channel after channel. Source:
 * Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
 */
final class Cifar10 {
    static final List<String> CLASSES =
            List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");
    static final String FOLDER = "cifar-10-batches-bin";
    static final String ARCHIVE = "cifar-10-binary.tar.gz";

    private static final Shape SHAPE = Shape.of(32, 32, 3);
    private static final int PLANE = 32 * 32;
    private static final int RECORD = 1 + 3 * PLANE;
    private static final int MAX_FILE = 10_000 * RECORD;
    private static final List<String> TRAIN =
            List.of("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin");
    private static final List<String> TEST = List.of("test_batch.bin");

    /** The two published parts. */
    record Parts(ByteImages train, ByteImages test) {}

    private Cifar10() {}

    /** Reads the files straight from the published archive. */
    static Parts fromArchive(Path archive) {
        try (Input in = Input.open(archive)) {
            return fromArchive(in);
        }
    }

    static Parts fromArchive(Input in) {
        Map<String, byte[]> files = new TreeMap<>();
        Tar.read(in, MAX_FILE, name -> TRAIN.contains(last(name)) || TEST.contains(last(name)), (name, bytes) -> {
            if (files.put(last(name), bytes) != null) {
                throw new FormatException(in.file(), "", "two files " + last(name), "fetch the archive again");
            }
        });
        return new Parts(images(in.file(), files, TRAIN), images(in.file(), files, TEST));
    }

    /** Reads the unpacked files. */
    static Parts fromFolder(Path folder) {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : Stream.concat(TRAIN.stream(), TEST.stream()).toList()) {
            Path path = folder.resolve(name);
            if (!Files.isRegularFile(path)) {
                throw new ArgumentException(
                        "CIFAR-10 in " + folder + " lacks " + name + "; unpack the whole archive there");
            }
            try (Input in = Input.open(path)) {
                byte[] bytes = new byte[MAX_FILE];
                int length = in.read(bytes, 0, MAX_FILE);
                in.requireEnd();
                files.put(name, java.util.Arrays.copyOf(bytes, length));
            }
        }
        return new Parts(images(folder.toString(), files, TRAIN), images(folder.toString(), files, TEST));
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    private static ByteImages images(String origin, Map<String, byte[]> files, List<String> names) {
        int count = 0;
        for (String name : names) {
            byte[] bytes = files.get(name);
            if (bytes == null || bytes.length == 0 || bytes.length % RECORD != 0) {
                throw new FormatException(
                        origin,
                        "file " + name,
                        bytes == null ? "missing" : bytes.length + " bytes, expected a multiple of " + RECORD,
                        "fetch the archive again");
            }
            count += bytes.length / RECORD;
        }
        byte[] pixels = new byte[count * 3 * PLANE];
        byte[] labels = new byte[count];
        int next = 0;
        for (String name : names) {
            byte[] bytes = files.get(name);
            for (int at = 0; at < bytes.length; at += RECORD) {
                if ((bytes[at] & 0xff) >= CLASSES.size()) {
                    throw new FormatException(
                            origin,
                            name + " byte " + at,
                            "label " + (bytes[at] & 0xff) + ", expected 0 to 9",
                            "fetch the archive again");
                }
                labels[next] = bytes[at];
                interleave(bytes, at + 1, pixels, next * 3 * PLANE);
                next++;
            }
        }
        return new ByteImages(SHAPE, pixels, labels, CLASSES);
    }

    private static void interleave(byte[] planes, int from, byte[] pixels, int to) {
        for (int pixel = 0; pixel < PLANE; pixel++) {
            pixels[to + 3 * pixel] = planes[from + pixel];
            pixels[to + 3 * pixel + 1] = planes[from + PLANE + pixel];
            pixels[to + 3 * pixel + 2] = planes[from + 2 * PLANE + pixel];
        }
    }
}
