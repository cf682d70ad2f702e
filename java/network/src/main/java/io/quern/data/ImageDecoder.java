package io.quern.data;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * PNG and JPEG to bytes, HWC, gray (1 channel) or RGB (3). Samples are taken as stored, without colour management; 16 bits
 * are cut to 8. Not thread-safe: one decoder per thread, its readers are reused.
 */
final class ImageDecoder implements AutoCloseable {
    /** Pixels of one image above which nothing is decoded: 2048 x 2048. */
    static final int MAX_PIXELS = 1 << 22;

    /** A decoded image; channels is 1 or 3. */
    record Image(int height, int width, int channels, byte[] pixels) {}

    private ImageReader png;
    private ImageReader jpeg;

    /** Decodes a whole file in memory. The size in its header is checked before anything is allocated for pixels. */
    Image decode(String file, byte[] bytes) {
        ImageReader reader = reader(file, bytes);
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            // metadata is skipped: compressed text chunks are where small files turn into large memory
            reader.setInput(in, true, true);
            int width = reader.getWidth(0);
            int height = reader.getHeight(0);
            if (width < 1 || height < 1 || (long) width * height > MAX_PIXELS) {
                throw new FormatException(
                        file,
                        "",
                        "image of " + width + "x" + height + " pixels, at most " + MAX_PIXELS + " are decoded",
                        "scale it down");
            }
            return pixels(file, reader.read(0));
        } catch (FormatException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // the decoders of java.desktop answer malformed bytes with many kinds of exception
            close();
            throw new FormatException(file, "", "cannot decode the image (" + e + ")", "repair or remove it", e);
        }
    }

    private ImageReader reader(String file, byte[] bytes) {
        if (bytes.length > 8 && (bytes[0] & 0xff) == 0x89 && bytes[1] == 'P' && bytes[2] == 'N' && bytes[3] == 'G') {
            png = png == null ? find("png") : png;
            return png;
        }
        if (bytes.length > 3 && (bytes[0] & 0xff) == 0xff && (bytes[1] & 0xff) == 0xd8) {
            jpeg = jpeg == null ? find("jpeg") : jpeg;
            return jpeg;
        }
        throw new FormatException(file, "byte 0", "neither PNG nor JPEG data", "convert it, or remove it");
    }

    private static ImageReader find(String format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        if (!readers.hasNext()) {
            throw new IllegalStateException("this Java runtime has no " + format + " decoder");
        }
        return readers.next();
    }

    private static Image pixels(String file, BufferedImage image) {
        int height = image.getHeight();
        int width = image.getWidth();
        if (image.getColorModel() instanceof IndexColorModel palette) {
            return indexed(file, image, palette);
        }
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        int bits = image.getColorModel() instanceof ComponentColorModel
                ? raster.getSampleModel().getSampleSize(0)
                : 0;
        if (bands < 1 || bands > 4 || bits != 8 && bits != 16) {
            throw new FormatException(
                    file, "", bands + " bands of " + bits + " bits are not supported", "save it as gray or RGB");
        }
        int channels = bands < 3 ? 1 : 3;
        int[] samples = raster.getPixels(0, 0, width, height, (int[]) null);
        byte[] pixels = new byte[height * width * channels];
        for (int pixel = 0; pixel < height * width; pixel++) {
            for (int channel = 0; channel < channels; channel++) {
                pixels[pixel * channels + channel] = (byte) (samples[pixel * bands + channel] >>> bits - 8);
            }
            if (bands > channels && samples[pixel * bands + channels] != (1 << bits) - 1) {
                throw transparent(file);
            }
        }
        return new Image(height, width, channels, pixels);
    }

    private static Image indexed(String file, BufferedImage image, IndexColorModel palette) {
        int[] colors = new int[palette.getMapSize()];
        palette.getRGBs(colors);
        boolean gray = true;
        for (int color : colors) {
            gray &= (color & 0xff) == (color >>> 8 & 0xff) && (color & 0xff) == (color >>> 16 & 0xff);
        }
        int channels = gray ? 1 : 3;
        int height = image.getHeight();
        int width = image.getWidth();
        int[] indices = image.getRaster().getPixels(0, 0, width, height, (int[]) null);
        byte[] pixels = new byte[height * width * channels];
        for (int pixel = 0; pixel < indices.length; pixel++) {
            int color = indices[pixel] < colors.length ? colors[indices[pixel]] : 0;
            if (color >>> 24 != 255) {
                throw transparent(file);
            }
            for (int channel = 0; channel < channels; channel++) {
                pixels[pixel * channels + channel] = (byte) (color >>> 16 - 8 * channel);
            }
        }
        return new Image(height, width, channels, pixels);
    }

    private static FormatException transparent(String file) {
        return new FormatException(file, "", "transparent pixels have no colour to learn from", "flatten the image");
    }

    @Override
    public void close() {
        if (png != null) {
            png.dispose();
            png = null;
        }
        if (jpeg != null) {
            jpeg.dispose();
            jpeg = null;
        }
    }
}
