package io.quern.data;

import io.quern.tensor.Tensor;

/**
 * Some samples in the tensors that a step computes with. The tensors belong to {@link Batches} and hold this batch until
 * its next one is asked for.
 *
 * @param epoch from 0
 * @param index place within the epoch, from 0
 * @param samples their indices in the data set
 * @param inputs (n, sample shape...), F32
 * @param labels (n), I32
 */
public record Batch(int epoch, int index, int[] samples, Tensor inputs, Tensor labels) {
    /** Number of samples; the last batch of an epoch may have fewer than the others. */
    public int size() {
        return samples.length;
    }
}
