package io.quern.train;

/**
 * The figures of one epoch. What does not apply is NaN.
 *
 * @param epoch from 0
 * @param step steps done so far
 * @param loss mean over the training batches, as they were trained
 * @param accuracy share of training samples that were right, as they were trained
 * @param validationLoss mean over the validation samples, in inference mode
 * @param validationAccuracy share of validation samples that are right
 * @param rate learning rate of the last step
 * @param best true when early stopping counts this epoch as the best so far
 */
public record EpochReport(
        int epoch,
        long step,
        double loss,
        double accuracy,
        double validationLoss,
        double validationAccuracy,
        double rate,
        boolean best) {}
