package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Shape;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SingleImagesTest {
    private static final List<String> CLASSES = List.of("a", "b");

    @TempDir
    private Path folder;

    private Path png(String name, int type, int... rgb) throws IOException {
        BufferedImage image = new BufferedImage(rgb.length, 1, type);
        for (int x = 0; x < rgb.length; x++) {
            if (type == BufferedImage.TYPE_BYTE_GRAY) {
                image.getRaster().setSample(x, 0, 0, rgb[x]);
            } else {
                image.setRGB(x, 0, rgb[x]);
            }
        }
        Path file = folder.resolve(name);
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private static int[] bytes(Dataset data, int index) {
        float[] values = new float[data.sampleLength()];
        data.read(index, values, 0);
        int[] bytes = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = Math.round(255 * values[i]);
        }
        return bytes;
    }

    @Test
    void colourBecomesGrayByItsLuma() throws IOException {
        Path file = png("rgb.png", BufferedImage.TYPE_INT_RGB, 0xff0000, 0x00ff00, 0x0000ff, 0xffffff, 0x505050);
        Dataset data = SingleImages.read(List.of(file), Shape.of(1, 5, 1), CLASSES);
        assertArrayEquals(new int[] {76, 150, 29, 255, 0x50}, bytes(data, 0));
    }

    @Test
    void grayBecomesColourOfEqualParts() throws IOException {
        Path file = png("gray.png", BufferedImage.TYPE_BYTE_GRAY, 7, 200);
        Dataset data = SingleImages.read(List.of(file), Shape.of(1, 2, 3), CLASSES);
        assertArrayEquals(new int[] {7, 7, 7, 200, 200, 200}, bytes(data, 0));
    }

    @Test
    void severalFilesAreSeveralSamples() throws IOException {
        Path one = png("1.png", BufferedImage.TYPE_BYTE_GRAY, 1);
        Path two = png("2.png", BufferedImage.TYPE_INT_RGB, 0x020202);
        Dataset data = SingleImages.read(List.of(one, two), Shape.of(1, 1, 1), CLASSES);
        assertEquals(2, data.size());
        assertArrayEquals(new int[] {2}, bytes(data, 1));
        assertEquals(CLASSES, data.classNames());
    }

    @Test
    void anotherSizeIsAnErrorWithBothSizes() throws IOException {
        Path file = png("wide.png", BufferedImage.TYPE_BYTE_GRAY, 1, 2, 3);
        FormatException e =
                assertThrows(FormatException.class, () -> SingleImages.read(List.of(file), Shape.of(1, 2, 1), CLASSES));
        assertTrue(e.getMessage().contains("3x1 pixels, the model takes 2x1"), e.getMessage());
    }
}
