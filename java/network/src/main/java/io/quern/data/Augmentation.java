package io.quern.data;

import io.quern.tensor.Rng;
import io.quern.tensor.Shape;

/**
 * A random change of a training sample that keeps its class. Works after normalization, so it may not assume a range of
 * values or that 0 is black.
 */
@FunctionalInterface
public interface Augmentation {
    /**
     * Changes one sample in place.
     *
     * @param sample holds the sample from {@code offset}
     * @param shape (height, width, channels)
     * @param rng belongs to this sample in this epoch alone: draw from index 0
     */
    void apply(float[] sample, int offset, Shape shape, Rng rng);

    /** This change and then another, with draws of its own. */
    default Augmentation then(Augmentation next) {
        return (sample, offset, shape, rng) -> {
            apply(sample, offset, shape, rng);
            next.apply(sample, offset, shape, rng.stream(rng.stream() + 1));
        };
    }
}
