package io.quern.data;

import io.quern.tensor.ArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Images on disk, one folder per class: {@code folder/cat/1.png}. Classes are sorted by name. */
public final class ImageFolder implements ImageFiles {
    private static final int MAX_FILES = 10_000_000;

    private final Path folder;
    private final List<String> classNames;
    private final List<String> names;
    private final int[] labels;

    private ImageFolder(Path folder) {
        this.folder = folder;
        ImageNames found = new ImageNames();
        int[] count = {0};
        try (Stream<Path> tree = Files.walk(folder, 3)) {
            tree.filter(Files::isRegularFile).forEach(file -> {
                if (++count[0] > MAX_FILES) {
                    throw new ArgumentException(
                            folder + " holds more than " + MAX_FILES + " files; use a part of them");
                }
                found.add(folder.toString(), folder.relativize(file).toString().replace('\\', '/'));
            });
        } catch (IOException e) {
            throw Input.failure(folder, e);
        } catch (java.io.UncheckedIOException e) {
            throw Input.failure(folder, e.getCause());
        }
        names = found.names(folder.toString());
        classNames = found.classNames();
        labels = found.labels();
    }

    /**
     * Lists the folder and decodes its first image.
     *
     * @param channels 1 or 3, or 0 for what the first image has
     * @param threads for decoding
     */
    public static ImageSet open(Path folder, int channels, int threads) {
        if (!Files.isDirectory(folder)) {
            throw new ArgumentException("there is no directory " + folder + "; check the path");
        }
        return new ImageSet(new ImageFolder(folder), channels, threads);
    }

    @Override
    public String origin() {
        return folder.toString();
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public int size() {
        return names.size();
    }

    @Override
    public String name(int index) {
        return folder.resolve(names.get(index)).toString();
    }

    @Override
    public int label(int index) {
        return labels[index];
    }

    @Override
    public byte[] bytes(int index) {
        Path file = folder.resolve(names.get(index));
        try {
            if (Files.size(file) > MAX_FILE) {
                throw new FormatException(
                        file.toString(), "", Files.size(file) + " bytes, at most " + MAX_FILE, "scale the image down");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw Input.failure(file, e);
        }
    }
}
