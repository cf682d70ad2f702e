package io.quern.train;

import io.quern.data.Dataset;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;

/** Small data sets in memory for tests. */
public record ToyData(Shape sampleShape, float[][] samples, int[] labels, List<String> classNames) implements Dataset {
    /** Two half circles that interlock, with a little noise. */
    public static ToyData twoMoons(int size, long seed) {
        Rng rng = Rng.of(seed);
        float[][] samples = new float[size][];
        int[] labels = new int[size];
        for (int i = 0; i < size; i++) {
            double angle = Math.PI * rng.stream(1).uniform(i);
            labels[i] = i % 2;
            double x = labels[i] == 0 ? Math.cos(angle) : 1 - Math.cos(angle);
            double y = labels[i] == 0 ? Math.sin(angle) : 0.5 - Math.sin(angle);
            samples[i] = new float[] {
                (float) (x + 0.1 * rng.stream(2).normal(i)),
                (float) (y + 0.1 * rng.stream(3).normal(i))
            };
        }
        return new ToyData(Shape.of(2), samples, labels, List.of("upper", "lower"));
    }

    /** Images of noise; the class is the quarter that is brighter. */
    public static ToyData quarters(int size, int extent, long seed) {
        float[][] samples = new float[size][extent * extent];
        int[] labels = new int[size];
        for (int i = 0; i < size; i++) {
            Rng rng = Rng.of(seed).stream(4).step(i);
            labels[i] = rng.below(1_000_000, 4);
            for (int p = 0; p < extent * extent; p++) {
                int quarter = 2 * (2 * (p / extent) / extent) + 2 * (p % extent) / extent;
                samples[i][p] = rng.uniform(p) + (quarter == labels[i] ? 0.7f : 0);
            }
        }
        return new ToyData(
                Shape.of(extent, extent, 1),
                samples,
                labels,
                IntStream.range(0, 4).mapToObj(Integer::toString).toList());
    }

    @Override
    public int size() {
        return samples.length;
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        System.arraycopy(samples[index], 0, destination, offset, samples[index].length);
    }

    @Override
    public int label(int index) {
        return labels[index];
    }
}
