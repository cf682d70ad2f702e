package io.quern.data;

import io.quern.backend.WorkerPool;
import io.quern.tensor.ArgumentException;
import java.util.ArrayList;
import java.util.List;

/**
 * Standardisation along the last axis of a sample, y = (x - mean) / deviation: per channel of images, per column of
 * tables. Learned on training data alone; the two lists are all there is to store.
 *
 * @param mean one per channel or column
 * @param deviation positive; 1 where the training data are constant
 */
public record Normalization(List<Double> mean, List<Double> deviation) {
    private static final int BLOCK = 256;

    /** Drawn samples are all alike, and to draw them takes part of the time until a first step; bench/lab/startup.md. */
    private static final int ENOUGH_DRAWN = 256;

    public Normalization {
        mean = List.copyOf(mean);
        deviation = List.copyOf(deviation);
        if (mean.size() != deviation.size()) {
            throw new ArgumentException(mean.size() + " means but " + deviation.size() + " deviations");
        }
        for (int c = 0; c < mean.size(); c++) {
            if (!Double.isFinite(mean.get(c)) || !Double.isFinite(deviation.get(c)) || deviation.get(c) <= 0) {
                throw new ArgumentException("mean " + mean.get(c) + " and deviation " + deviation.get(c)
                        + " of channel " + c + ": expected finite numbers and a positive deviation");
            }
        }
    }

    /**
     * Means and population deviations over all samples; over 256, spread evenly, of those that {@link Dataset#formula}
     * draws. The bits do not depend on the number of threads.
     */
    public static Normalization learn(Dataset training, int threads) {
        if (training.size() == 0) {
            throw new ArgumentException("cannot learn a normalization from an empty training set");
        }
        int channels = training.sampleShape().dim(-1);
        int size = training.size();
        int samples = training.formula().isEmpty() ? size : Math.min(size, ENOUGH_DRAWN);
        int blocks = (samples + BLOCK - 1) / BLOCK;
        Moments[] parts = new Moments[blocks];
        try (WorkerPool pool = new WorkerPool(threads)) {
            pool.run(blocks, block -> parts[block] = moments(training, samples, block, channels));
        }
        for (int block = 1; block < blocks; block++) {
            parts[0].merge(parts[block]);
        }
        return parts[0].normalization();
    }

    private static Moments moments(Dataset data, int samples, int block, int channels) {
        Moments moments = new Moments(channels);
        float[] sample = new float[data.sampleLength()];
        int end = Math.min(samples, (block + 1) * BLOCK);
        for (int i = block * BLOCK; i < end; i++) {
            data.read((int) ((long) i * data.size() / samples), sample, 0);
            moments.add(sample);
        }
        return moments;
    }

    /**
     * Count, mean and sum of squared deviations per channel, merged pairwise. Source: Chan, Golub, LeVeque, "Updating
     * formulae and a pairwise algorithm for computing sample variances", 1979.
     */
    private static final class Moments {
        private final double[] mean;
        private final double[] squares;
        private double count;

        Moments(int channels) {
            mean = new double[channels];
            squares = new double[channels];
        }

        void add(float[] sample) {
            int channels = mean.length;
            int pixels = channels == 0 ? 0 : sample.length / channels;
            if (pixels == 0) {
                return;
            }
            Moments one = new Moments(channels);
            one.count = pixels;
            for (int i = 0; i < sample.length; i++) {
                one.mean[i % channels] += sample[i];
            }
            for (int c = 0; c < channels; c++) {
                one.mean[c] /= pixels;
            }
            for (int i = 0; i < sample.length; i++) {
                double distance = sample[i] - one.mean[i % channels];
                one.squares[i % channels] += distance * distance;
            }
            merge(one);
        }

        void merge(Moments other) {
            double total = count + other.count;
            if (other.count == 0) {
                return;
            }
            for (int c = 0; c < mean.length; c++) {
                double delta = other.mean[c] - mean[c];
                mean[c] += delta * (other.count / total);
                squares[c] += other.squares[c] + delta * delta * (count * other.count / total);
            }
            count = total;
        }

        Normalization normalization() {
            List<Double> means = new ArrayList<>();
            List<Double> deviations = new ArrayList<>();
            for (int c = 0; c < mean.length; c++) {
                double deviation = Math.sqrt(squares[c] / count);
                means.add(mean[c]);
                // what rounding leaves of a constant column must not be blown up to noise
                deviations.add(deviation > 1e-9 * (1 + Math.abs(mean[c])) ? deviation : 1.0);
            }
            return new Normalization(means, deviations);
        }
    }
}
