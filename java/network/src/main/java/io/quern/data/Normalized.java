package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.List;

/** A data set seen through a {@link Normalization}. */
public final class Normalized implements Dataset {
    private final Dataset source;
    private final float[] mean;
    private final float[] scale;
    private final int length;

    private Normalized(Dataset source, float[] mean, float[] scale) {
        this.source = source;
        this.mean = mean;
        this.scale = scale;
        this.length = source.sampleLength();
    }

    public static Normalized of(Dataset source, Normalization normalization) {
        int channels = normalization.mean().size();
        if (source.sampleShape().dim(-1) != channels) {
            throw new ArgumentException("normalization has " + channels + " channels, samples of shape "
                    + source.sampleShape() + " have " + source.sampleShape().dim(-1));
        }
        float[] mean = new float[channels];
        float[] scale = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = normalization.mean().get(c).floatValue();
            scale[c] = (float) (1 / normalization.deviation().get(c));
        }
        return new Normalized(source, mean, scale);
    }

    /** The samples before normalization. */
    public Dataset source() {
        return source;
    }

    @Override
    public int size() {
        return source.size();
    }

    @Override
    public Shape sampleShape() {
        return source.sampleShape();
    }

    @Override
    public List<String> classNames() {
        return source.classNames();
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        source.read(index, destination, offset);
        int channels = mean.length;
        if (channels == 1) {
            for (int i = offset; i < offset + length; i++) {
                destination[i] = (destination[i] - mean[0]) * scale[0];
            }
            return;
        }
        for (int start = offset; start < offset + length; start += channels) {
            for (int c = 0; c < channels; c++) {
                destination[start + c] = (destination[start + c] - mean[c]) * scale[c];
            }
        }
    }

    @Override
    public int label(int index) {
        return source.label(index);
    }
}
