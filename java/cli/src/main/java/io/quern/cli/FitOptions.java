package io.quern.cli;

import io.quern.regularize.EarlyStopping;
import io.quern.regularize.WeightPenalty;
import io.quern.train.AdamW;
import io.quern.train.ConstantRate;
import io.quern.train.CosineDecay;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.OneCycle;
import io.quern.train.Optimizer;
import io.quern.train.Schedule;
import io.quern.train.Sgd;
import io.quern.train.StepDecay;
import io.quern.train.TrainingOptions;
import java.util.List;

/** Turns the options of the command line into those of the trainer. Ranges are checked by {@link OptionChecks}. */
final class FitOptions {
    private FitOptions() {}

    static TrainingOptions of(TrainOptions options) {
        TrainOptions.Fit fit = options.fit();
        TrainOptions.Regularization regularization = options.regularization();
        TrainingOptions result = TrainingOptions.of(
                        fit.epochs,
                        new CrossEntropyLoss().withLabelSmoothing(regularization.labelSmoothing),
                        optimizer(fit, regularization.weightDecay),
                        schedule(fit.schedule, fit.rate))
                .withClipNorm(regularization.clip)
                .withPenalty(new WeightPenalty(regularization.l1, regularization.l2))
                .withSeed(fit.seed);
        return fit.patience == 0 ? result : result.withEarlyStopping(new EarlyStopping(fit.patience));
    }

    private static Optimizer optimizer(TrainOptions.Fit fit, double weightDecay) {
        return switch (fit.optimizer) {
            case "sgd" -> new Sgd(fit.momentum, fit.momentum > 0, weightDecay);
            case "adamw" -> new AdamW().withWeightDecay(weightDecay);
            default -> throw new UsageException("--optimizer " + fit.optimizer + " is unknown; known are sgd, adamw");
        };
    }

    private static Schedule schedule(String name, double rate) {
        return switch (name) {
            case "constant" -> new ConstantRate(rate);
            case "step" -> new StepDecay(rate, 0.1, List.of(0.5, 0.75));
            case "cosine" -> new CosineDecay(rate, 0.05, 0);
            case "one-cycle" -> new OneCycle(rate);
            default ->
                throw new UsageException(
                        "--schedule " + name + " is unknown; known are constant, step, cosine, one-cycle");
        };
    }
}
