package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.List;

/** Images in memory, one byte per value (0..255 read as 0..1), HWC one after the other. */
public final class ByteImages implements Dataset {
    private static final float[] UNIT = unit();

    private final Shape shape;
    private final byte[] pixels;
    private final byte[] labels;
    private final List<String> classNames;
    private final int length;

    /**
     * Keeps the arrays, which must not be changed afterwards.
     *
     * @param shape (height, width, channels)
     * @param labels unsigned bytes below the number of classes
     */
    public ByteImages(Shape shape, byte[] pixels, byte[] labels, List<String> classNames) {
        if (shape.rank() != 3 || shape.elements() * labels.length != pixels.length) {
            throw new ArgumentException(pixels.length + " bytes are not " + labels.length
                    + " images of height x width x channels " + shape);
        }
        for (int i = 0; i < labels.length; i++) {
            if ((labels[i] & 0xff) >= classNames.size()) {
                throw new ArgumentException("label " + (labels[i] & 0xff) + " of image " + i + " is outside the "
                        + classNames.size() + " classes");
            }
        }
        this.shape = shape;
        this.pixels = pixels;
        this.labels = labels;
        this.classNames = List.copyOf(classNames);
        this.length = Math.toIntExact(shape.elements());
    }

    private static float[] unit() {
        float[] table = new float[256];
        for (int value = 0; value < 256; value++) {
            table[value] = value / 255f;
        }
        return table;
    }

    /** Writes bytes as 0..1. */
    static void convert(byte[] source, int from, int length, float[] destination, int offset) {
        for (int i = 0; i < length; i++) {
            destination[offset + i] = UNIT[source[from + i] & 0xff];
        }
    }

    @Override
    public int size() {
        return labels.length;
    }

    @Override
    public Shape sampleShape() {
        return shape;
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        SampleIndex.check(index, labels.length);
        convert(pixels, index * length, length, destination, offset);
    }

    @Override
    public int label(int index) {
        return labels[index] & 0xff;
    }
}
