package io.quern.train;

import java.util.List;

/**
 * What became of a training.
 *
 * @param epochs one report per finished epoch, those before a resume included
 * @param steps steps done
 * @param end why it ended
 * @param bestEpoch the epoch whose weights the network has now, if early stopping restored them; else -1
 * @param highWaterMark the most bytes that one step used, besides parameters, gradients and optimizer
 */
public record TrainingResult(List<EpochReport> epochs, long steps, End end, int bestEpoch, long highWaterMark) {
    /** Reasons to end. */
    public enum End {
        /** All epochs are done. */
        FINISHED,
        /** Early stopping saw no improvement for its patience. */
        EARLY,
        /** {@link Trainer#stop} was called; the training can go on from a checkpoint. */
        STOPPED
    }
}
