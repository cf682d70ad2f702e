package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The bytes of a file, unpacked when they are gzip, with every failure named after the file: malformed bytes are a
 * {@link FormatException}, a failing disk a {@link QuernException}.
 */
final class Input implements AutoCloseable {
    /** What Deflate can do at best, see RFC 1951: 258 bytes from 2 bits. No honest file announces more than this. */
    private static final long MAX_INFLATION = 1032;

    /** Arrays of the JDK end a little below 2^31. */
    static final long MAX_ARRAY = Integer.MAX_VALUE - 16;

    private final String file;
    private final InputStream in;
    private final boolean packed;
    private final long fileLength;
    private long position;

    private Input(String file, InputStream in, boolean packed, long fileLength) {
        this.file = file;
        this.in = in;
        this.packed = packed;
        this.fileLength = fileLength;
    }

    static Input open(Path path) {
        requireFile(path);
        try {
            return open(path.toString(), Files.newInputStream(path), Files.size(path));
        } catch (IOException e) {
            throw failure(path, e);
        }
    }

    /** Takes over the stream, which has {@code length} bytes. */
    static Input open(String file, InputStream raw, long length) {
        try {
            BufferedInputStream buffered = new BufferedInputStream(raw, 1 << 16);
            buffered.mark(2);
            boolean packed = buffered.read() == 0x1f && buffered.read() == 0x8b;
            buffered.reset();
            try {
                return new Input(file, packed ? new GZIPInputStream(buffered, 1 << 16) : buffered, packed, length);
            } catch (ZipException | EOFException e) {
                buffered.close();
                throw corrupt(file, 0, e);
            }
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    static void requireFile(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new ArgumentException("there is no file " + path + "; check the path");
        }
    }

    static QuernException failure(Object path, IOException e) {
        return new QuernException("cannot read " + path + ": " + e + "; check the file system and permissions", e);
    }

    private static FormatException corrupt(String file, long position, IOException e) {
        return new FormatException(
                file,
                "unpacked byte " + position,
                e instanceof EOFException
                        ? "the gzip data end too early"
                        : "corrupt gzip data (" + e.getMessage() + ")",
                "fetch the file again",
                e);
    }

    String file() {
        return file;
    }

    long position() {
        return position;
    }

    /** False when {@code bytes} more bytes cannot be in this file: to be asked before memory is allocated for them. */
    boolean canHold(long bytes) {
        return packed
                ? bytes <= Math.multiplyExact(fileLength, MAX_INFLATION) - position
                : bytes <= fileLength - position;
    }

    /** Reads up to {@code length} bytes, fewer only at the end of the file or of intact gzip data. */
    int read(byte[] target, int offset, int length) {
        int done = 0;
        try {
            while (done < length) {
                int n = in.read(target, offset + done, length - done);
                if (n < 0) {
                    break;
                }
                done += n;
                position += n;
            }
        } catch (EOFException e) {
            return done;
        } catch (ZipException e) {
            throw corrupt(file, position, e);
        } catch (IOException e) {
            throw failure(file, e);
        }
        return done;
    }

    /** Exactly {@code length} bytes of something small. */
    byte[] exactly(int length, String what) {
        byte[] bytes = new byte[length];
        long start = position;
        int found = read(bytes, 0, length);
        if (found < length) {
            throw truncated(start, what, length, found);
        }
        return bytes;
    }

    FormatException truncated(long start, String what, long expected, long found) {
        return new FormatException(
                file,
                "byte " + start,
                "truncated: expected " + expected + " bytes of " + what + ", found " + found,
                "fetch the file again");
    }

    /** Checks that nothing follows. For gzip this also verifies the checksum. */
    void requireEnd() {
        byte[] one = new byte[1];
        if (read(one, 0, 1) != 0) {
            throw new FormatException(
                    file, "byte " + (position - 1), "unexpected bytes after the data", "fetch the file again");
        }
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw failure(file, e);
        }
    }
}
