package io.quern.data;

import io.quern.tensor.Shape;
import java.util.List;

/**
 * Labelled samples by index. Immutable as seen from outside; {@link #read} and {@link #label} may be called from any
 * thread.
 *
 * <p>Images are HWC with values 0..1, table rows have one axis of features. The last axis is what {@link Normalization}
 * works along: the channel of an image, the column of a table.
 */
public interface Dataset {
    /** Number of samples. */
    int size();

    /** Shape of one sample: (height, width, channels) of an image, (features) of a table row. */
    Shape sampleShape();

    /** Name of every class, in the order of the labels. */
    List<String> classNames();

    /** Number of classes. Labels are 0..classes-1. */
    default int classes() {
        return classNames().size();
    }

    /** Writes sample {@code index} in row-major order to {@code destination[offset...]}. */
    void read(int index, float[] destination, int offset);

    /** Class of sample {@code index}. */
    int label(int index);

    /** Values per sample. */
    default int sampleLength() {
        return Math.toIntExact(sampleShape().elements());
    }

    /**
     * For samples that are a function of a few numbers: their name and these numbers, which stand for all samples. Empty for
     * samples that must be read to be known.
     */
    default String formula() {
        return "";
    }
}
