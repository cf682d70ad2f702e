package io.quern.data;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * NPY files, versions 1 to 3: little-endian, C order, no objects. Source: NEP 1, "A simple file format for NumPy arrays".
 *
 * <p>The header's length is limited before it is read, and the announced size compared with the file's before memory is
 * allocated. Object arrays are pickled Python programs and always refused.
 */
public final class Npy {
    static final int MAX_HEADER = 10_000;
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    private Npy() {}

    public static NpyArray read(Path path) {
        try (Input in = Input.open(path)) {
            return parse(in);
        }
    }

    static NpyArray parse(String file, InputStream raw, long length) {
        try (Input in = Input.open(file, raw, length)) {
            return parse(in);
        }
    }

    private static NpyArray parse(Input in) {
        byte[] start = in.exactly(8, "NPY magic and version");
        for (int i = 0; i < MAGIC.length; i++) {
            if (start[i] != MAGIC[i]) {
                throw new FormatException(
                        in.file(), "byte " + i, "not an NPY file: the magic is missing", "write it with numpy.save");
            }
        }
        if (start[6] < 1 || start[6] > 3 || start[7] != 0) {
            throw new FormatException(
                    in.file(),
                    "byte 6",
                    "NPY version " + (start[6] & 0xff) + "." + (start[7] & 0xff) + ", known are 1.0, 2.0 and 3.0",
                    "write it again with numpy.save");
        }
        byte[] size = in.exactly(start[6] == 1 ? 2 : 4, "NPY header length");
        long length = 0;
        for (int i = size.length - 1; i >= 0; i--) {
            length = length << 8 | size[i] & 0xff;
        }
        if (length > MAX_HEADER) {
            throw new FormatException(
                    in.file(),
                    "byte 8",
                    "header of " + length + " bytes, at most " + MAX_HEADER + " are read",
                    "check that the file is not corrupt");
        }
        long headerStart = in.position();
        String text = new String(in.exactly((int) length, "NPY header"), StandardCharsets.ISO_8859_1);
        NpyHeader header = NpyHeader.parse(in.file(), headerStart, text);
        return new NpyArray(header.type(), header.shape(), data(in, header));
    }

    private static byte[] data(Input in, NpyHeader header) {
        long start = in.position();
        long elements = header.shape().elements();
        int width = header.type().bytes();
        if (elements > Input.MAX_ARRAY / width || !in.canHold(elements * width)) {
            throw new FormatException(
                    in.file(),
                    "byte " + start,
                    "shape " + header.shape() + " of " + header.type().descriptor() + " needs " + elements + " x "
                            + width + " bytes, more than the file has or memory holds",
                    "fetch or write the file again");
        }
        byte[] bytes = new byte[(int) (elements * width)];
        int found = in.read(bytes, 0, bytes.length);
        if (found < bytes.length) {
            throw in.truncated(start, "elements " + header.shape(), bytes.length, found);
        }
        in.requireEnd();
        return bytes;
    }

    /** Writes version 1.0: a temporary file beside the target, forced to disk, then renamed. */
    public static void write(Path path, NpyArray array) {
        StringBuilder shape = new StringBuilder("(");
        for (long extent : array.shape().toArray()) {
            shape.append(extent).append(", ");
        }
        String header =
                "{'descr': '" + array.type().descriptor() + "', 'fortran_order': False, 'shape': " + shape + "), }";
        // magic, version, length, header and the line end together fill multiples of 64 bytes
        int padded = (10 + header.length() + 1 + 63) / 64 * 64 - 10;
        byte[] bytes = (header + " ".repeat(padded - 1 - header.length()) + "\n").getBytes(StandardCharsets.ISO_8859_1);
        AtomicFiles.write(path, out -> {
            out.write(MAGIC);
            out.write(new byte[] {1, 0, (byte) padded, (byte) (padded >>> 8)});
            out.write(bytes);
            out.write(array.bytes());
        });
    }
}
