package io.quern.train;

/** Told of the progress of a training, on its thread. */
public interface TrainingListener {
    /**
     * After each step.
     *
     * @param batch index in the epoch, from 0
     * @param batches per epoch
     * @param samples in this batch
     * @param right how many of them were right
     */
    record Step(int epoch, int batch, int batches, long step, double loss, double rate, int samples, int right) {}

    default void onStep(Trainer trainer, Step step) {}

    /**
     * After each epoch and its validation, before its checkpoint is saved: a training that was killed in between and is
     * resumed tells of the epoch again.
     */
    default void onEpoch(Trainer trainer, EpochReport report) {}
}
