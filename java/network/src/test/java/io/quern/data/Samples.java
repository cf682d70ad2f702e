package io.quern.data;

import io.quern.tensor.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;

/** Small data that tests share. */
final class Samples {
    private Samples() {}

    /** {@code size} images of height x width x channels; pixel p of image i has value (i + p) mod 256. */
    static ByteImages images(int size, int height, int width, int channels, int classes, IntUnaryOperator label) {
        int length = height * width * channels;
        byte[] pixels = new byte[size * length];
        byte[] labels = new byte[size];
        for (int i = 0; i < size; i++) {
            for (int p = 0; p < length; p++) {
                pixels[i * length + p] = (byte) (i + p);
            }
            labels[i] = (byte) label.applyAsInt(i);
        }
        List<String> names =
                IntStream.range(0, classes).mapToObj(Integer::toString).toList();
        return new ByteImages(Shape.of(height, width, channels), pixels, labels, names);
    }

    static float[] read(Dataset data, int index) {
        float[] sample = new float[data.sampleLength()];
        data.read(index, sample, 0);
        return sample;
    }

    static byte[] idx(byte[] values, int... extents) {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * extents.length + values.length);
        bytes.put(new byte[] {0, 0, 8, (byte) extents.length});
        for (int extent : extents) {
            bytes.putInt(extent);
        }
        return bytes.put(values).array();
    }

    static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** An encoded image whose pixel (x, y) has the colour 0xRRGGBB that is given for y * width + x. */
    static byte[] encode(String format, int type, int width, int height, IntUnaryOperator color) {
        BufferedImage image = new BufferedImage(width, height, type);
        for (int pixel = 0; pixel < width * height; pixel++) {
            int rgb = color.applyAsInt(pixel);
            if (type == BufferedImage.TYPE_BYTE_GRAY) {
                image.getRaster().setSample(pixel % width, pixel / width, 0, rgb & 0xff);
            } else {
                image.setRGB(
                        pixel % width, pixel / width, type == BufferedImage.TYPE_INT_ARGB ? rgb : rgb | 0xff000000);
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, out)) {
                throw new IllegalStateException("no encoder for " + format);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static byte[] grayPng(int width, int height, int value) {
        return encode("png", BufferedImage.TYPE_BYTE_GRAY, width, height, pixel -> value);
    }

    static byte[] rgbPng(int width, int height, int color) {
        return encode("png", BufferedImage.TYPE_INT_RGB, width, height, pixel -> color);
    }

    /** The directory with real data; the test is skipped where there is none. */
    static Path realData() {
        String directory = System.getProperty("quern.data", System.getenv("QUERN_DATA"));
        Assumptions.assumeTrue(
                directory != null && !directory.isBlank(),
                "no real data here: set QUERN_DATA or -Dquern.data to a directory that has them");
        return Path.of(directory);
    }
}
