package io.quern.data;

import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/** Reads regular files of a tar archive (POSIX ustar) into memory. Names are never used as paths. */
final class Tar {
    private static final int BLOCK = 512;
    private static final int MAX_ENTRIES = 1000;
    private static final long MAX_UNPACKED = 1L << 30;

    private Tar() {}

    /**
     * Reads to the end, so that the checksum of packed data is verified too.
     *
     * @param maxFile bytes above which a wanted file is refused
     */
    static void read(Input in, int maxFile, Predicate<String> wanted, BiConsumer<String, byte[]> consumer) {
        byte[] scratch = new byte[1 << 16];
        for (int entry = 0; entry < MAX_ENTRIES; entry++) {
            long start = in.position();
            byte[] header = in.exactly(BLOCK, "tar header");
            if (isZero(header)) {
                drain(in, scratch);
                return;
            }
            long size = size(in, header, start);
            long padding = -size & BLOCK - 1;
            String name = name(header);
            // '0' or NUL: a regular file; others, links and directories, carry nothing that is wanted
            if ((header[156] == '0' || header[156] == 0) && wanted.test(name)) {
                if (size > maxFile) {
                    throw corrupt(in, start, "file " + name + " of " + size + " bytes, at most " + maxFile);
                }
                if (!in.canHold(size)) {
                    throw corrupt(
                            in, start, "truncated: file " + name + " of " + size + " bytes is longer than the rest");
                }
                consumer.accept(name, in.exactly((int) size, name));
                skip(in, padding, scratch);
            } else {
                skip(in, size + padding, scratch);
            }
        }
        throw corrupt(in, in.position(), "more than " + MAX_ENTRIES + " files");
    }

    private static boolean isZero(byte[] header) {
        for (byte b : header) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private static String name(byte[] header) {
        int end = 0;
        while (end < 100 && header[end] != 0) {
            end++;
        }
        return new String(header, 0, end, StandardCharsets.ISO_8859_1);
    }

    private static long size(Input in, byte[] header, long start) {
        int sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
        }
        if (octal(header, 148, 8) != sum) {
            throw corrupt(in, start, "not a tar header: its checksum is wrong");
        }
        long size = octal(header, 124, 12);
        if (size < 0 || size > MAX_UNPACKED - in.position()) {
            throw corrupt(in, start, "file of " + size + " bytes, more than " + MAX_UNPACKED + " in all");
        }
        return size;
    }

    /** -1 when the field is not octal. */
    private static long octal(byte[] header, int from, int length) {
        String field = new String(header, from, length, StandardCharsets.ISO_8859_1)
                .replace('\0', ' ')
                .strip();
        return field.matches("[0-7]{1,12}") ? Long.parseLong(field, 8) : -1;
    }

    private static void skip(Input in, long bytes, byte[] scratch) {
        long start = in.position();
        long left = bytes;
        while (left > 0) {
            int n = in.read(scratch, 0, (int) Math.min(scratch.length, left));
            if (n == 0) {
                throw in.truncated(start, "tar data", bytes, bytes - left);
            }
            left -= n;
        }
    }

    private static void drain(Input in, byte[] scratch) {
        long start = in.position();
        while (in.read(scratch, 0, scratch.length) > 0) {
            if (in.position() - start > 1 << 20) {
                throw corrupt(in, start, "more than 1 MiB of padding after the end");
            }
        }
    }

    private static FormatException corrupt(Input in, long position, String problem) {
        return new FormatException(in.file(), "unpacked byte " + position, problem, "fetch the archive again");
    }
}
