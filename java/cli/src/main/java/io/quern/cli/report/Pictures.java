package io.quern.cli.report;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import javax.imageio.ImageIO;

/** Samples and heat maps as PNG. */
public final class Pictures {
    private Pictures() {}

    /** True for samples that can be shown: (height, width, 1 or 3). */
    public static boolean showable(Shape shape) {
        return shape.rank() == 3 && (shape.size(2) == 1 || shape.size(2) == 3);
    }

    /** An image of HWC values 0..1; what lies outside is clipped. */
    public static BufferedImage image(Shape shape, float[] values) {
        if (!showable(shape)) {
            throw new ArgumentException(
                    "samples of shape " + shape + " are no pictures; expected height x width x 1 or 3");
        }
        int channels = shape.dim(2);
        BufferedImage image = new BufferedImage(shape.dim(1), shape.dim(0), BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < image.getWidth() * image.getHeight(); pixel++) {
            int rgb = 0;
            for (int c = 0; c < 3; c++) {
                float value = values[pixel * channels + (channels == 1 ? 0 : c)];
                rgb = rgb << 8 | Math.round(255 * Math.clamp(value, 0f, 1f));
            }
            image.setRGB(pixel % image.getWidth(), pixel / image.getWidth(), rgb);
        }
        return image;
    }

    /** One colour per pixel for values (height, width). */
    public static BufferedImage heatMap(int height, int width, float[] values, DivergingScale scale) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < height * width; pixel++) {
            image.setRGB(pixel % width, pixel / width, scale.rgb(values[pixel]));
        }
        return image;
    }

    /** The bytes of a PNG file. */
    public static byte[] png(BufferedImage image) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** An img element that carries its picture. */
    static String inline(BufferedImage image, String alternative) {
        return "<img alt=\"%s\" src=\"data:image/png;base64,%s\">"
                .formatted(Html.escape(alternative), Base64.getEncoder().encodeToString(png(image)));
    }
}
