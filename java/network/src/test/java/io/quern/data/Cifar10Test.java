package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar10Test {
    private static final int RECORD = 3073;

    @TempDir
    Path directory;

    /** One record: red 255, green 51, blue 0 everywhere. */
    static byte[] record(int label) {
        byte[] bytes = new byte[RECORD];
        bytes[0] = (byte) label;
        Arrays.fill(bytes, 1, 1025, (byte) 255);
        Arrays.fill(bytes, 1025, 2049, (byte) 51);
        return bytes;
    }

    static void entry(ByteArrayOutputStream tar, String name, char type, byte[] contents) {
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 124, String.format("%011o", contents.length));
        put(header, 148, "        ");
        header[156] = (byte) type;
        put(header, 257, "ustar");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        put(header, 148, String.format("%06o", sum));
        header[154] = 0;
        tar.writeBytes(header);
        tar.writeBytes(contents);
        tar.writeBytes(new byte[-contents.length & 511]);
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    /** The published layout with one image per file, labels 0..4 and 9. */
    static byte[] archive() {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        entry(tar, "cifar-10-batches-bin/", '5', new byte[0]);
        entry(tar, "cifar-10-batches-bin/readme.html", '0', new byte[700]);
        for (int batch = 1; batch <= 5; batch++) {
            entry(tar, "cifar-10-batches-bin/data_batch_" + batch + ".bin", '0', record(batch - 1));
        }
        entry(tar, "cifar-10-batches-bin/test_batch.bin", '0', record(9));
        tar.writeBytes(new byte[1024]);
        return tar.toByteArray();
    }

    private static Cifar10.Parts parse(byte[] bytes) {
        try (Input in = Input.open("c.tar", new ByteArrayInputStream(bytes), bytes.length)) {
            return Cifar10.fromArchive(in);
        }
    }

    @Test
    void thePublishedArchiveIsReadToInterleavedPixels() {
        for (byte[] bytes : new byte[][] {archive(), Samples.gzip(archive())}) {
            Cifar10.Parts parts = parse(bytes);
            assertEquals(5, parts.train().size());
            assertEquals(Shape.of(32, 32, 3), parts.train().sampleShape());
            assertEquals("truck", parts.test().classNames().get(parts.test().label(0)));
            assertEquals(4, parts.train().label(4));
            float[] sample = Samples.read(parts.train(), 2);
            assertArrayEquals(new float[] {1, 0.2f, 0, 1, 0.2f, 0}, Arrays.copyOf(sample, 6), 1e-7f);
        }
    }

    @Test
    void theUnpackedFilesAreReadAlike() throws IOException {
        for (int batch = 1; batch <= 5; batch++) {
            Files.write(directory.resolve("data_batch_" + batch + ".bin"), record(batch));
        }
        assertTrue(assertThrows(ArgumentException.class, () -> Cifar10.fromFolder(directory))
                .getMessage()
                .contains("lacks test_batch.bin"));
        Files.write(directory.resolve("test_batch.bin"), record(10));
        assertTrue(assertThrows(FormatException.class, () -> Cifar10.fromFolder(directory))
                .getMessage()
                .contains("label 10, expected 0 to 9"));
        Files.write(directory.resolve("test_batch.bin"), Arrays.copyOf(record(9), 3000));
        assertTrue(assertThrows(FormatException.class, () -> Cifar10.fromFolder(directory))
                .getMessage()
                .contains("expected a multiple of 3073"));
        Files.write(directory.resolve("test_batch.bin"), record(9));
        assertEquals(1, Cifar10.fromFolder(directory).test().size());
    }

    @Test
    void missingAndTruncatedPartsAreNamed() {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        entry(tar, "data_batch_1.bin", '0', record(0));
        tar.writeBytes(new byte[1024]);
        assertTrue(assertThrows(FormatException.class, () -> parse(tar.toByteArray()))
                .getMessage()
                .contains("data_batch_2.bin: missing"));
        assertTrue(assertThrows(FormatException.class, () -> parse(Arrays.copyOf(archive(), 9000)))
                .getMessage()
                .contains("truncated"));
    }

    @Test
    void mutationsAreRefusedOrRead() {
        Fuzz.run(2000, 1100, 1 << 22, Cifar10Test::parse, archive(), Samples.gzip(archive()));
    }
}
