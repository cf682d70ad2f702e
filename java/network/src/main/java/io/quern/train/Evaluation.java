package io.quern.train;

/**
 * How good a network is on some samples, in inference mode.
 *
 * @param samples that count; the loss may ignore some
 * @param loss mean over the samples
 * @param auroc see {@link Auroc}: of class 1 if there are two classes, else the mean of each against the rest
 */
public record Evaluation(int samples, double loss, ConfusionMatrix confusion, double auroc) {
    /** Share of samples that are right. */
    public double accuracy() {
        return confusion.accuracy();
    }
}
