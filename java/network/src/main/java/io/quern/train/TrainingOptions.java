package io.quern.train;

import io.quern.regularize.EarlyStopping;
import io.quern.regularize.WeightPenalty;
import io.quern.tensor.ArgumentException;
import java.util.Optional;

/**
 * How to train; change one with the {@code with} methods.
 *
 * @param epochs passes over the data, at least 1
 * @param clipNorm gradients of a larger global norm are scaled down to it; 0 is off
 * @param earlyStopping needs a validation set
 * @param seed of dropout; data order and initial values take theirs from the same run seed by convention
 * @param stopOnNonFinite whether an infinite or NaN loss is an error that names epoch and step
 */
public record TrainingOptions(
        int epochs,
        Loss loss,
        Optimizer optimizer,
        Schedule schedule,
        double clipNorm,
        WeightPenalty penalty,
        Optional<EarlyStopping> earlyStopping,
        long seed,
        boolean stopOnNonFinite) {
    public TrainingOptions {
        if (epochs < 1 || !(clipNorm >= 0)) {
            throw new ArgumentException("training has " + epochs + " epochs and clips at norm " + clipNorm
                    + ", expected at least 1 and at least 0");
        }
    }

    /** No clipping, no penalty, no early stopping, seed 0; a non-finite loss is an error. */
    public static TrainingOptions of(int epochs, Loss loss, Optimizer optimizer, Schedule schedule) {
        return new TrainingOptions(epochs, loss, optimizer, schedule, 0, WeightPenalty.NONE, Optional.empty(), 0, true);
    }

    public TrainingOptions withClipNorm(double norm) {
        return new TrainingOptions(
                epochs, loss, optimizer, schedule, norm, penalty, earlyStopping, seed, stopOnNonFinite);
    }

    public TrainingOptions withPenalty(WeightPenalty newPenalty) {
        return new TrainingOptions(
                epochs, loss, optimizer, schedule, clipNorm, newPenalty, earlyStopping, seed, stopOnNonFinite);
    }

    public TrainingOptions withEarlyStopping(EarlyStopping stopping) {
        return new TrainingOptions(
                epochs, loss, optimizer, schedule, clipNorm, penalty, Optional.of(stopping), seed, stopOnNonFinite);
    }

    public TrainingOptions withSeed(long newSeed) {
        return new TrainingOptions(
                epochs, loss, optimizer, schedule, clipNorm, penalty, earlyStopping, newSeed, stopOnNonFinite);
    }

    public TrainingOptions withStopOnNonFinite(boolean stop) {
        return new TrainingOptions(epochs, loss, optimizer, schedule, clipNorm, penalty, earlyStopping, seed, stop);
    }
}
