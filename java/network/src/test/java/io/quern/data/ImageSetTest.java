package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSetTest {
    @TempDir
    Path directory;

    private static byte[] zip(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                zip.putNextEntry(new ZipEntry(file.getKey()));
                zip.write(file.getValue());
                zip.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    private static Map<String, byte[]> twoClasses() {
        return new TreeMap<>(Map.of(
                "cat/b.png", Samples.grayPng(3, 2, 51),
                "cat/a.png", Samples.grayPng(3, 2, 255),
                "ant/1.png", Samples.grayPng(3, 2, 0)));
    }

    private Path archive(Map<String, byte[]> files) throws IOException {
        return Files.write(directory.resolve("a.zip"), zip(files));
    }

    private Path folder(Map<String, byte[]> files) throws IOException {
        Path root = Files.createDirectories(directory.resolve("root"));
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = root.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
        return root;
    }

    private static String refusal(ImageSet images) {
        return assertThrows(FormatException.class, images::load).getMessage();
    }

    @Test
    void foldersAndArchivesReadAlikeInSortedOrder() throws IOException {
        Map<String, byte[]> files = twoClasses();
        files.put(".DS_Store", new byte[5]);
        files.put("cat/Thumbs.db", new byte[5]);
        files.put("README.txt", new byte[5]);
        for (ImageSet images : List.of(ImageFolder.open(folder(files), 0, 2), ImageZip.open(archive(files), 0, 2))) {
            assertEquals(List.of("ant", "cat"), images.classNames());
            assertEquals(Shape.of(2, 3, 1), images.sampleShape());
            assertEquals(3, images.size());
            assertEquals(1, images.label(2));
            assertTrue(images.name(1).endsWith("cat/a.png"), images.name(1));
            assertArrayEquals(new float[] {0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 0.2f}, Samples.read(images, 2), 1e-7f);
        }
    }

    @Test
    void colourIsInterleavedRedGreenBlue() throws IOException {
        byte[] png = Samples.encode("png", BufferedImage.TYPE_INT_RGB, 2, 1, pixel -> pixel == 0 ? 0xff0033 : 0x00ff00);
        ImageSet images = ImageZip.open(archive(Map.of("a/1.png", png)), 0, 1);
        assertArrayEquals(new float[] {1, 0, 0.2f, 0, 1, 0}, Samples.read(images, 0), 1e-7f);
    }

    @Test
    void jpegIsDecodedToWithinItsLosses() throws IOException {
        byte[] jpeg = Samples.encode("jpg", BufferedImage.TYPE_INT_RGB, 8, 8, pixel -> 0x6496c8);
        ImageSet images = ImageZip.open(archive(Map.of("a/1.jpeg", jpeg)), 0, 1);
        float[] sample = Samples.read(images, 0);
        assertEquals(0x64 / 255f, sample[0], 0.02);
        assertEquals(0x96 / 255f, sample[1], 0.02);
        assertEquals(0xc8 / 255f, sample[2], 0.02);
    }

    @Test
    void samplesAreTakenAsStoredWhateverTheLayout() {
        try (ImageDecoder decoder = new ImageDecoder()) {
            byte[] bits = Samples.encode("png", BufferedImage.TYPE_BYTE_BINARY, 2, 1, pixel -> pixel * 0xffffff);
            assertArrayEquals(new byte[] {0, -1}, decoder.decode("b", bits).pixels());
            byte[] palette = Samples.encode("png", BufferedImage.TYPE_BYTE_INDEXED, 2, 1, pixel -> 0xff0000);
            assertArrayEquals(
                    new byte[] {-1, 0, 0, -1, 0, 0},
                    decoder.decode("p", palette).pixels());
            byte[] deep = Samples.encode("png", BufferedImage.TYPE_USHORT_GRAY, 1, 1, pixel -> 0xffffff);
            assertArrayEquals(new byte[] {-1}, decoder.decode("d", deep).pixels());
            byte[] opaque = Samples.encode("png", BufferedImage.TYPE_INT_ARGB, 1, 1, pixel -> 0xff010203);
            assertArrayEquals(new byte[] {1, 2, 3}, decoder.decode("o", opaque).pixels());
            byte[] glass = Samples.encode("png", BufferedImage.TYPE_INT_ARGB, 1, 1, pixel -> 0x80010203);
            assertTrue(assertThrows(FormatException.class, () -> decoder.decode("g.png", glass))
                    .getMessage()
                    .contains("g.png: transparent"));
        }
    }

    @Test
    void theOddImageIsNamed() throws IOException {
        Map<String, byte[]> files = twoClasses();
        files.put("cat/c.png", Samples.grayPng(3, 3, 0));
        String size = refusal(ImageZip.open(archive(files), 0, 2));
        assertTrue(size.contains("cat/c.png: image is 3x3, but") && size.contains("3x2 in gray"), size);
        files.put("cat/c.png", Samples.rgbPng(3, 2, 0));
        assertTrue(refusal(ImageZip.open(archive(files), 0, 2)).contains("cat/c.png: image is RGB"));
        files.put("cat/c.png", "GIF89a..........".getBytes());
        assertTrue(refusal(ImageZip.open(archive(files), 0, 2)).contains("neither PNG nor JPEG"));
    }

    @Test
    void theFirstOfSeveralOddImagesIsNamedWhateverTheThreads() throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (int i = 100; i < 400; i++) {
            files.put("a/" + i + ".png", Samples.grayPng(i < 201 ? 2 : 3, 2, 0));
        }
        Path archive = archive(files);
        for (int threads = 1; threads <= 3; threads++) {
            assertTrue(refusal(ImageZip.open(archive, 0, threads)).contains("a/201.png"));
        }
    }

    @Test
    void grayIsWidenedWhereColourIsAskedFor() throws IOException {
        ImageSet images = ImageZip.open(archive(twoClasses()), 3, 1);
        assertEquals(Shape.of(2, 3, 3), images.sampleShape());
        assertEquals(18, Samples.read(images, 1).length);
        assertEquals(1f, Samples.read(images, 1)[17]);
    }

    @Test
    void thePixelBudgetIsCheckedBeforeDecoding() throws IOException {
        byte[] png = Samples.grayPng(3, 2, 0);
        // IHDR: width at 16, height at 20, its checksum at 29
        ByteBuffer.wrap(png).putInt(16, 100_000).putInt(20, 100_000);
        java.util.zip.CRC32 crc = new java.util.zip.CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        Path archive = archive(Map.of("a/1.png", png));
        assertTrue(assertThrows(FormatException.class, () -> ImageZip.open(archive, 0, 1))
                .getMessage()
                .contains("image of 100000x100000 pixels"));
    }

    @Test
    void archivesThatWouldDoHarmAreRefused() throws IOException {
        Map<String, byte[]> bomb = twoClasses();
        bomb.put("cat/z.png", new byte[1 << 20]);
        Path packed = archive(bomb);
        assertTrue(assertThrows(FormatException.class, () -> ImageZip.open(packed, 0, 1))
                .getMessage()
                .contains("more than 200 times"));
        Map<String, byte[]> escape = twoClasses();
        escape.put("../evil.png", Samples.grayPng(3, 2, 0));
        Path leading = archive(escape);
        assertTrue(assertThrows(FormatException.class, () -> ImageZip.open(leading, 0, 1))
                .getMessage()
                .contains("leads out"));
    }

    @Test
    void whatIsNoImageOrInNoClassIsNotPassedOver() throws IOException {
        Map<String, byte[]> files = twoClasses();
        files.put("cat/x.webp", new byte[3]);
        Path root = folder(files);
        assertTrue(assertThrows(FormatException.class, () -> ImageFolder.open(root, 0, 1))
                .getMessage()
                .contains("cat/x.webp: not a .png"));
        Path deep = archive(Map.of("a/b/c.png", Samples.grayPng(1, 1, 0)));
        assertTrue(assertThrows(FormatException.class, () -> ImageZip.open(deep, 0, 1))
                .getMessage()
                .contains("class/image"));
        Path none = archive(Map.of("readme", new byte[1]));
        assertTrue(assertThrows(FormatException.class, () -> ImageZip.open(none, 0, 1))
                .getMessage()
                .contains("holds no images"));
        assertThrows(ArgumentException.class, () -> ImageFolder.open(directory.resolve("nowhere"), 0, 1));
        assertThrows(ArgumentException.class, () -> ImageZip.open(directory.resolve("nowhere.zip"), 0, 1));
    }

    @Test
    void mutatedImagesAreRefusedOrDecoded() {
        byte[] gray = Samples.encode("png", BufferedImage.TYPE_BYTE_GRAY, 12, 12, pixel -> pixel);
        byte[] palette = Samples.encode("png", BufferedImage.TYPE_BYTE_INDEXED, 12, 12, pixel -> pixel * 99991);
        byte[] jpeg = Samples.encode("jpg", BufferedImage.TYPE_INT_RGB, 16, 16, pixel -> pixel * 99991);
        try (ImageDecoder decoder = new ImageDecoder()) {
            Fuzz.run(3000, 1100, 256L << 20, bytes -> decoder.decode("i", bytes), gray, jpeg, palette);
        }
    }

    @Test
    void mutatedArchivesAreRefusedOrRead() throws IOException {
        Path file = directory.resolve("m.zip");
        Fuzz.run(
                2000,
                1100,
                64L << 20,
                bytes -> {
                    Files.write(file, bytes);
                    ImageZip.open(file, 0, 1).load();
                },
                zip(twoClasses()));
    }
}
