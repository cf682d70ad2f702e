package io.quern.regularize;

import io.quern.tensor.ArgumentException;

/**
 * Stops when the validation score has not improved for a while. Prechelt, "Early stopping - but when?", 1998.
 *
 * @param watch the score of the validation set
 * @param patience epochs without improvement before training stops, at least 1
 * @param minDelta an improvement must be larger than this, at least 0
 * @param restoreBest whether the weights of the best epoch come back at the end
 */
public record EarlyStopping(Score watch, int patience, double minDelta, boolean restoreBest) {
    public EarlyStopping {
        if (patience < 1 || !(minDelta >= 0)) {
            throw new ArgumentException("early stopping has patience " + patience + " and minDelta " + minDelta
                    + ", expected at least 1 and at least 0");
        }
    }

    /** On the validation loss, with the best weights restored. */
    public EarlyStopping(int patience) {
        this(Score.LOSS, patience, 0, true);
    }

    /** What is watched. */
    public enum Score {
        /** Smaller is better. */
        LOSS,
        /** Larger is better. */
        ACCURACY
    }

    /** True when {@code score} is better than {@code best} by more than minDelta; the first score always is. */
    public boolean improves(double score, double best) {
        if (Double.isNaN(best)) {
            return !Double.isNaN(score);
        }
        return watch == Score.LOSS ? score < best - minDelta : score > best + minDelta;
    }
}
