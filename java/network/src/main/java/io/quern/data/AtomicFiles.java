package io.quern.data;

import io.quern.tensor.QuernException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Files that are there in full or not at all, also after a crash: a temporary file beside the target, forced to disk,
 * renamed, and the folder forced to disk.
 */
public final class AtomicFiles {
    /** What fills the temporary file. */
    @FunctionalInterface
    public interface Writer {
        void write(OutputStream out) throws IOException;
    }

    /** Looks at the finished temporary file and throws if it must not become the target. */
    interface Check {
        void check(Path temporary) throws IOException;
    }

    private AtomicFiles() {}

    /**
     * Replaces the target.
     *
     * @throws QuernException when it cannot be written; the old file is then still there
     */
    public static void write(Path target, Writer writer) {
        write(target, writer, temporary -> {});
    }

    static void write(Path target, Writer writer, Check check) {
        Path absolute = target.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".tmp-" + UUID.randomUUID());
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                writer.write(out);
                out.flush();
                channel.force(true);
            }
            check.check(temporary);
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
            forceDirectory(absolute.getParent());
        } catch (IOException e) {
            throw new QuernException("cannot write " + target + ": " + e + "; check space and permissions", e);
        } finally {
            deleteIfThere(temporary);
        }
    }

    /** Makes the rename itself durable. Windows cannot open a directory and needs no such step. */
    private static void forceDirectory(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private static void deleteIfThere(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            System.getLogger("io.quern.data").log(System.Logger.Level.WARNING, "cannot delete " + temporary + ": " + e);
        }
    }
}
