package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
    @TempDir
    Path directory;

    private static Idx.Array parse(byte[] bytes) {
        return Idx.parse("a.idx", new ByteArrayInputStream(bytes), bytes.length);
    }

    private static String refusal(byte[] bytes) {
        return assertThrows(FormatException.class, () -> parse(bytes)).getMessage();
    }

    @Test
    void readsPlainAndGzip() {
        byte[] file = Samples.idx(new byte[] {1, 2, 3, 4, 5, (byte) 255}, 3, 2);
        for (byte[] bytes : List.of(file, Samples.gzip(file))) {
            Idx.Array array = parse(bytes);
            assertEquals(Shape.of(3, 2), array.shape());
            assertArrayEquals(new byte[] {1, 2, 3, 4, 5, (byte) 255}, array.values());
        }
    }

    @Test
    void truncatedFilesNameExpectedAndFoundBytes() {
        byte[] file = Samples.idx(new byte[100], 10, 10);
        assertTrue(refusal(Arrays.copyOf(file, 60)).contains("[10, 10] need 100 bytes"));
        byte[] packed = Samples.gzip(Samples.idx(new byte[50], 10, 10));
        String message = refusal(packed);
        assertTrue(message.startsWith("a.idx, byte 12: truncated: expected 100 bytes"), message);
        assertTrue(message.contains("found 50"), message);
        assertTrue(refusal(new byte[] {0, 0}).contains("expected 4 bytes of IDX magic, found 2"));
        assertThrows(FormatException.class, () -> parse(Arrays.copyOf(packed, packed.length - 9)));
    }

    @Test
    void announcedSizesAreCheckedBeforeMemoryIsAllocated() {
        assertTrue(refusal(Samples.idx(new byte[8], 0x7fffffff)).contains("announce more than"));
        assertTrue(refusal(Samples.idx(new byte[8], 60000, 60000)).contains("announce more than"));
        assertTrue(refusal(Samples.idx(new byte[8], -1, -1, -1, -1)).contains("announce more than"));
        assertTrue(refusal(Samples.gzip(Samples.idx(new byte[8], 1 << 30))).contains("too short"));
    }

    @Test
    void refusesOtherTypesAndTrailingBytes() {
        assertTrue(refusal(new byte[] {0, 0, 0x0d, 1, 0, 0, 0, 0}).contains("starts with 00 00 0d 01"));
        byte[] file = Samples.idx(new byte[4], 4);
        assertTrue(refusal(Arrays.copyOf(file, file.length + 1)).contains("unexpected bytes after the data"));
    }

    @Test
    void aDamagedGzipChecksumIsNoticed() {
        byte[] packed = Samples.gzip(Samples.idx(new byte[4], 4));
        packed[packed.length - 6] ^= 1;
        assertTrue(refusal(packed).contains("corrupt gzip data"));
    }

    @Test
    void mutationsAreRefusedOrRead() {
        byte[] file = Samples.idx(new byte[300], 3, 10, 10);
        Fuzz.run(4000, 1100, 1 << 20, IdxTest::parse, file, Samples.gzip(file), Samples.idx(new byte[5], 5));
    }

    @Test
    void findsTheFourFilesOfADirectory() throws IOException {
        Files.write(directory.resolve("train-images-idx3-ubyte"), Samples.idx(new byte[24], 4, 2, 3));
        Files.write(
                directory.resolve("train-labels-idx1-ubyte.gz"), Samples.gzip(Samples.idx(new byte[] {0, 2, 1, 2}, 4)));
        Files.write(directory.resolve("t10k-images.idx3-ubyte"), Samples.idx(new byte[] {0, 51, -1, 0, 0, 0}, 1, 2, 3));
        Files.write(directory.resolve("t10k-labels.idx1-ubyte"), Samples.idx(new byte[] {1}, 1));
        List<ByteImages> parts = Idx.directory(directory);
        assertEquals(4, parts.get(0).size());
        assertEquals(Shape.of(2, 3, 1), parts.get(0).sampleShape());
        assertEquals(List.of("0", "1", "2"), parts.get(1).classNames());
        assertEquals(2, parts.get(0).label(3));
        assertArrayEquals(new float[] {0, 0.2f, 1, 0, 0, 0}, Samples.read(parts.get(1), 0), 1e-7f);
    }

    @Test
    void missingAndMismatchedFilesAreNamed() throws IOException {
        ArgumentException missing = assertThrows(ArgumentException.class, () -> Idx.directory(directory));
        assertTrue(missing.getMessage().contains("train-labels-idx1-ubyte"), missing.getMessage());
        assertThrows(ArgumentException.class, () -> Idx.directory(directory.resolve("nowhere")));

        Path images = Files.write(directory.resolve("i"), Samples.idx(new byte[8], 2, 2, 2));
        Path three = Files.write(directory.resolve("l"), Samples.idx(new byte[3], 3));
        Path high = Files.write(directory.resolve("h"), Samples.idx(new byte[] {0, 7}, 2));
        List<String> names = List.of("a", "b");
        assertTrue(assertThrows(FormatException.class, () -> Idx.images(images, three, names))
                .getMessage()
                .contains("3 labels for 2 images"));
        assertTrue(assertThrows(FormatException.class, () -> Idx.images(images, high, names))
                .getMessage()
                .contains("byte 9: label 7, expected 0 to 1"));
    }
}
