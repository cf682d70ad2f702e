package io.quern.train;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The checkpoints of one training, named by their step. The newest few are kept; nothing else in the folder is touched.
 *
 * @param keep how many, at least 1; 2 survive damage to the newest
 */
public record CheckpointFolder(Path path, int keep) {
    private static final String NAME = "step-\\d{10}\\.safetensors";

    public CheckpointFolder {
        if (keep < 1) {
            throw new ArgumentException("a checkpoint folder keeps " + keep + " checkpoints, expected at least 1");
        }
    }

    public CheckpointFolder(Path path) {
        this(path, 2);
    }

    /** Where the checkpoint of a step lies. */
    Path file(long step) {
        return path.resolve(String.format(Locale.ROOT, "step-%010d.safetensors", step));
    }

    /** The newest checkpoint that is intact; damaged ones are passed over with a warning. */
    public Optional<Path> latest() {
        return newestFirst().stream().filter(Checkpoint::isIntact).findFirst();
    }

    /** All checkpoints, intact or not. */
    public List<Path> newestFirst() {
        return Files.isDirectory(path) ? list(NAME, Comparator.reverseOrder()) : List.of();
    }

    void create() {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new QuernException("cannot create the checkpoint folder " + path + ": " + e, e);
        }
    }

    /** Deletes what is older than the newest few, and what killed processes left half written. */
    void prune() {
        try {
            for (Path old : newestFirst().stream().skip(keep).toList()) {
                Files.deleteIfExists(old);
            }
            for (Path half : list(NAME + "\\.tmp-.*", Comparator.naturalOrder())) {
                Files.deleteIfExists(half);
            }
        } catch (IOException e) {
            throw new QuernException("cannot delete old checkpoints in " + path + ": " + e, e);
        }
    }

    private List<Path> list(String pattern, Comparator<Path> order) {
        try (Stream<Path> files = Files.list(path)) {
            return files.filter(file -> file.getFileName().toString().matches(pattern))
                    .sorted(order)
                    .toList();
        } catch (IOException e) {
            throw new QuernException("cannot list the checkpoint folder " + path + ": " + e, e);
        }
    }
}
