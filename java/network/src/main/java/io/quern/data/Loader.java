package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import java.util.stream.IntStream;

/**
 * How a data set is cut into batches. Immutable; {@link #epoch} starts to load.
 *
 * <p>The order is a function of (seed, epoch), an augmented sample of (seed, epoch, index): every epoch can be repeated,
 * and one that was interrupted can be continued at any batch.
 *
 * @param dataset at least one sample
 * @param batchSize samples per batch, at least 1
 * @param seed of order and augmentation
 * @param shuffle a new order in each epoch; otherwise that of the data set
 * @param dropLast leaves out a last batch that is not full
 * @param augmentation null for none
 * @param buffers batches in memory at once, at least 2: one in use, the others loaded ahead
 */
public record Loader(
        Dataset dataset,
        int batchSize,
        long seed,
        boolean shuffle,
        boolean dropLast,
        Augmentation augmentation,
        int buffers) {

    public Loader {
        if (batchSize < 1 || buffers < 2) {
            throw new ArgumentException(
                    "batch size is " + batchSize + " and buffers " + buffers + ", expected at least 1 and 2");
        }
        if (dataset.size() == 0) {
            throw new ArgumentException("the data set has no samples to load");
        }
        if (augmentation != null && dataset.sampleShape().rank() != 3) {
            throw new ArgumentException(
                    "augmentation needs images (height, width, channels), samples have shape " + dataset.sampleShape());
        }
    }

    /** For training: shuffled, the last batch kept. */
    public static Loader shuffled(Dataset dataset, int batchSize, long seed) {
        return new Loader(dataset, batchSize, seed, true, false, null, 3);
    }

    /** For evaluation: in order, the last batch kept. */
    public static Loader inOrder(Dataset dataset, int batchSize) {
        return new Loader(dataset, batchSize, 0, false, false, null, 3);
    }

    public Loader withDropLast() {
        return new Loader(dataset, batchSize, seed, shuffle, true, augmentation, buffers);
    }

    public Loader withAugmentation(Augmentation newAugmentation) {
        return new Loader(dataset, batchSize, seed, shuffle, dropLast, newAugmentation, buffers);
    }

    public Loader withBuffers(int newBuffers) {
        return new Loader(dataset, batchSize, seed, shuffle, dropLast, augmentation, newBuffers);
    }

    public int batchesPerEpoch() {
        return dropLast ? dataset.size() / batchSize : (int) (((long) dataset.size() + batchSize - 1) / batchSize);
    }

    /** The samples of an epoch in their order. */
    public int[] order(int epoch) {
        return shuffle
                ? new Rng(seed, Streams.SHUFFLE, epoch).permutation(dataset.size())
                : IntStream.range(0, dataset.size()).toArray();
    }

    /** Starts to load an epoch; close the result. */
    public Batches epoch(int epoch) {
        return epoch(epoch, 0);
    }

    /** Starts to load an epoch at one of its batches, as after an interruption; close the result. */
    public Batches epoch(int epoch, int firstBatch) {
        if (epoch < 0 || firstBatch < 0 || firstBatch > batchesPerEpoch()) {
            throw new ArgumentException("batch " + firstBatch + " of epoch " + epoch + " is outside the "
                    + batchesPerEpoch() + " batches of an epoch");
        }
        return new Batches(this, epoch, firstBatch);
    }

    /** Writes one sample as this epoch sees it. */
    void read(int epoch, int sample, float[] destination, int offset) {
        dataset.read(sample, destination, offset);
        if (augmentation != null) {
            // the index goes into the key: Philox makes unrelated streams of any two keys
            long key = seed + 0x9E3779B97F4A7C15L * (sample + 1L);
            augmentation.apply(destination, offset, dataset.sampleShape(), new Rng(key, Streams.AUGMENT, epoch));
        }
    }
}
