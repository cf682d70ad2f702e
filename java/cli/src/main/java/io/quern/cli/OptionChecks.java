package io.quern.cli;

/** Ranges of the options of a run, told before anything is done. */
final class OptionChecks {
    private OptionChecks() {}

    static void check(TrainOptions options) {
        TrainOptions.Fit fit = options.fit();
        TrainOptions.Regularization regularization = options.regularization();
        require(options.data().limit >= 0, "--limit", options.data().limit, "0 (all) or more samples");
        Double validation = options.data().validation;
        require(validation >= 0 && validation < 0.8, "--validation", validation, "a fraction from 0 to below 0.8");
        Double dropout = options.model().dropout;
        require(
                dropout == null || dropout >= 0 && dropout < 1,
                "--dropout",
                dropout,
                "a probability from 0 to below 1");
        require(fit.epochs >= 1, "--epochs", fit.epochs, "1 or more");
        require(fit.batch >= 1, "--batch", fit.batch, "1 or more samples");
        require(fit.rate > 0 && fit.rate < Double.POSITIVE_INFINITY, "--lr", fit.rate, "a positive number");
        require(fit.momentum >= 0 && fit.momentum < 1, "--momentum", fit.momentum, "a number from 0 to below 1");
        require(fit.patience >= 0, "--early-stopping", fit.patience, "0 (off) or more epochs");
        atLeastZero("--weight-decay", regularization.weightDecay);
        atLeastZero("--l1", regularization.l1);
        atLeastZero("--l2", regularization.l2);
        atLeastZero("--clip", regularization.clip);
        Double smoothing = regularization.labelSmoothing;
        require(smoothing >= 0 && smoothing < 1, "--label-smoothing", smoothing, "a fraction from 0 to below 1");
        if (fit.patience > 0 && validation == 0) {
            throw new UsageException(
                    "--early-stopping watches validation samples, but --validation is 0; set it to 0.1,"
                            + " for example");
        }
    }

    private static void atLeastZero(String option, double value) {
        require(value >= 0 && value < Double.POSITIVE_INFINITY, option, value, "0 (off) or a positive number");
    }

    private static void require(boolean holds, String option, Object value, String expected) {
        if (!holds) {
            throw new UsageException(option + " is " + value + ", expected " + expected);
        }
    }
}
