package io.quern.data;

import io.quern.tensor.Rng;
import io.quern.tensor.Shape;

/** Mirrors an image left to right with probability 1/2. For photographs; not for digits or letters. */
public record HorizontalFlip() implements Augmentation {

    @Override
    public void apply(float[] sample, int offset, Shape shape, Rng rng) {
        if (rng.below(0, 2) == 0) {
            return;
        }
        int width = shape.dim(1);
        int channels = shape.dim(2);
        for (int y = 0; y < shape.dim(0); y++) {
            int row = offset + y * width * channels;
            for (int x = 0; x < width / 2; x++) {
                for (int c = 0; c < channels; c++) {
                    int left = row + x * channels + c;
                    int right = row + (width - 1 - x) * channels + c;
                    float value = sample[left];
                    sample[left] = sample[right];
                    sample[right] = value;
                }
            }
        }
    }
}
