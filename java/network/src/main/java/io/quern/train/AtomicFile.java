package io.quern.train;

import io.quern.tensor.QuernException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Replaces a file as a whole: after a crash at any instant it holds either the old bytes or the new ones.
 *
 * <p>The bytes go to a temporary name beside the target and to the disk, then the name changes in one step, then the
 * folder goes to the disk: without the two syncs a rename could survive a power cut that its data did not.
 */
final class AtomicFile {
    /** Writes the contents. */
    @FunctionalInterface
    interface Writer {
        void write(FileChannel channel) throws IOException;
    }

    private AtomicFile() {}

    static void write(Path target, Writer writer) {
        Path file = target.toAbsolutePath();
        // always the same name: what a killed process left is overwritten by the next one
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            Files.createDirectories(file.getParent());
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                writer.write(channel);
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            force(file.getParent());
        } catch (IOException e) {
            throw new QuernException(
                    "cannot write " + target + ": " + e + "; check free space and permissions of its folder", e);
        }
    }

    private static void force(Path folder) throws IOException {
        // Windows cannot open a folder, and makes renames durable by itself
        if (!System.getProperty("os.name").startsWith("Windows")) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
