package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;

/**
 * Moves an image by up to {@code pixels} along each axis, the same as padding it and cropping at random (Krizhevsky,
 * Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012). Uncovered pixels repeat
 * the edge, which needs no knowledge of the background.
 *
 * @param pixels at least 0
 */
public record RandomShift(int pixels) implements Augmentation {
    public RandomShift {
        if (pixels < 0) {
            throw new ArgumentException("shift is " + pixels + " pixels, expected 0 or more");
        }
    }

    @Override
    public void apply(float[] sample, int offset, Shape shape, Rng rng) {
        shift(sample, offset, shape, rng.below(0, 2 * pixels + 1) - pixels, rng.below(1, 2 * pixels + 1) - pixels);
    }

    /** Pixel (y, x) becomes what was pixel (y + down, x + right), clamped to the image. */
    static void shift(float[] sample, int offset, Shape shape, int down, int right) {
        int height = shape.dim(0);
        int width = shape.dim(1);
        int channels = shape.dim(2);
        int row = width * channels;
        for (int i = 0; i < height; i++) {
            // in place: rows are visited so that none is overwritten before it was read
            int y = down >= 0 ? i : height - 1 - i;
            int from = offset + Math.clamp(y + (long) down, 0, height - 1) * row;
            int to = offset + y * row;
            int kept = Math.max(0, width - Math.abs(right));
            if (right >= 0) {
                System.arraycopy(sample, from + (width - kept) * channels, sample, to, kept * channels);
                for (int x = kept; x < width; x++) {
                    System.arraycopy(sample, from + row - channels, sample, to + x * channels, channels);
                }
            } else {
                System.arraycopy(sample, from, sample, to + (width - kept) * channels, kept * channels);
                for (int x = width - kept - 1; x >= 0; x--) {
                    System.arraycopy(sample, from, sample, to + x * channels, channels);
                }
            }
        }
    }
}
