package io.quern.data;

import io.quern.tensor.ArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Finds the parts of an image data set: {@code train}, {@code test} and {@code validation} (or {@code val}) as folders, as
 * .zip files in a folder, or as top folders of one archive. Without them everything is one part, and is split.
 */
final class ImageParts {
    private static final List<String> VALIDATION = List.of("validation", "val", "valid");

    private ImageParts() {}

    /** @param channels 1 or 3, or 0 for what the first training image has */
    static Split load(Path path, int channels, DataOptions with) {
        if (Files.isDirectory(path)) {
            return folder(path, channels, with);
        }
        if (!Files.isRegularFile(path)) {
            throw new ArgumentException("there is no directory or ZIP file " + path + "; check the path");
        }
        TreeSet<String> folders = new TreeSet<>(ImageZip.topFolders(path));
        return areParts(folders)
                ? parts(
                        path,
                        folders,
                        channels,
                        with,
                        (part, same) -> ImageZip.open(path, part + "/", same, with.threads()))
                : whole(path, ImageZip.open(path, channels, with.threads()), with);
    }

    private static Split folder(Path path, int channels, DataOptions with) {
        TreeSet<String> folders = names(path, Files::isDirectory, name -> name);
        if (areParts(folders)) {
            return parts(
                    path,
                    folders,
                    channels,
                    with,
                    (part, same) -> ImageFolder.open(path.resolve(part), same, with.threads()));
        }
        TreeSet<String> archives = names(
                path,
                file -> Files.isRegularFile(file) && file.toString().endsWith(".zip"),
                name -> name.substring(0, name.length() - 4));
        if (areParts(archives)) {
            return parts(
                    path,
                    archives,
                    channels,
                    with,
                    (part, same) -> ImageZip.open(path.resolve(part + ".zip"), same, with.threads()));
        }
        return whole(path, ImageFolder.open(path, channels, with.threads()), with);
    }

    private interface Opener {
        ImageSet open(String part, int channels);
    }

    private static TreeSet<String> names(Path folder, Predicate<Path> filter, Function<String, String> name) {
        TreeSet<String> names = new TreeSet<>();
        try (Stream<Path> entries = Files.list(folder)) {
            entries.filter(filter)
                    .map(entry -> entry.getFileName().toString())
                    .filter(entry -> !entry.startsWith("."))
                    .forEach(entry -> names.add(name.apply(entry)));
        } catch (IOException e) {
            throw Input.failure(folder, e);
        }
        return names;
    }

    private static boolean areParts(TreeSet<String> names) {
        return names.contains("train")
                && names.stream()
                        .allMatch(name -> name.equals("train") || name.equals("test") || VALIDATION.contains(name));
    }

    private static Split parts(Path path, TreeSet<String> names, int channels, DataOptions with, Opener opener) {
        ImageSet train = opener.open("train", channels);
        int same = train.sampleShape().dim(2);
        ImageSet test = names.contains("test") ? opener.open("test", same) : null;
        ImageSet validation = VALIDATION.stream()
                .filter(names::contains)
                .findFirst()
                .map(name -> opener.open(name, same))
                .orElse(null);
        String about = "images in " + path.getFileName();
        if (validation != null && test != null) {
            return new Split(train, validation, test, about);
        }
        if (test != null) {
            return Split.of(train, test, with.validationShare(), with.seed(), about);
        }
        if (validation == null) {
            return whole(path, train, with);
        }
        Split split = Split.of(train, 0, with.testShare(), with.seed(), about);
        return new Split(split.train(), validation, split.test(), about);
    }

    private static Split whole(Path path, ImageSet all, DataOptions with) {
        return Split.of(
                all,
                with.validationShare(),
                with.testShare(),
                with.seed(),
                "images in " + path.getFileName() + ", split");
    }
}
