package io.quern.explain;

import io.quern.data.Normalization;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/** Inputs that stand for "nothing there", as the network sees them: after normalization. */
public final class Baselines {
    private Baselines() {}

    /** Zero everywhere: in normalised data the mean of the training set, not a black image. */
    public static float[] zeros(Shape sample) {
        return new float[Math.toIntExact(sample.elements())];
    }

    /** What the raw value 0 becomes: a black image. */
    public static float[] black(Shape sample, Normalization normalization) {
        int channels = normalization.mean().size();
        if (sample.rank() == 0 || sample.size(-1) != channels) {
            throw new ArgumentException("the normalization has " + channels + " channels, a sample is " + sample);
        }
        float[] values = zeros(sample);
        for (int i = 0; i < values.length; i++) {
            int c = i % channels;
            values[i] = (float)
                    (-normalization.mean().get(c) / normalization.deviation().get(c));
        }
        return values;
    }
}
