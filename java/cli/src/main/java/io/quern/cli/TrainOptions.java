package io.quern.cli;

import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/**
 * What makes a training run what it is: recorded in config.json and used again by {@code --resume}. Options that are
 * not given are null until {@link Recipe} has put the defaults of data and model in their place.
 */
final class TrainOptions {
    @ArgGroup(validate = false, heading = "%nData%n", order = 1)
    private Data data = new Data();

    @ArgGroup(validate = false, heading = "%nModel%n", order = 2)
    private Model model = new Model();

    @ArgGroup(validate = false, heading = "%nTraining%n", order = 3)
    private Fit fit = new Fit();

    @ArgGroup(validate = false, heading = "%nRegularization%n", order = 4)
    private Regularization regularization = new Regularization();

    Data data() {
        return data;
    }

    Model model() {
        return model;
    }

    Fit fit() {
        return fit;
    }

    Regularization regularization() {
        return regularization;
    }

    /** What is learned from. */
    static final class Data {
        @Option(
                names = "--data",
                paramLabel = "SOURCE",
                description = {
                    "strokes (digits drawn on the spot), mnist, cifar10, idx:DIR,",
                    "images:DIR_OR_ZIP (a folder per class), csv:FILE[,target=COLUMN],",
                    "npy:DIR (x_train.npy, y_train.npy and, if there, x_test.npy, y_test.npy).",
                    "Default: strokes."
                })
        String source;

        @Option(
                names = "--limit",
                paramLabel = "N",
                description = {
                    "Train on the first N samples only; where they are sorted by class, as",
                    "folders of images are, the classes take turns. Default: 0, all."
                })
        Integer limit;

        @Option(
                names = "--validation",
                paramLabel = "FRACTION",
                description =
                        "Share of the training samples set aside to watch the training. Default: 0.05; 0 is none.")
        Double validation;

        @Option(
                names = "--augment",
                arity = "0..1",
                fallbackValue = "true",
                paramLabel = "true|false",
                description = "Shift (and for photographs mirror) training images at random.")
        Boolean augment;
    }

    /** What learns. */
    static final class Model {
        @Option(
                names = "--model",
                paramLabel = "MODEL",
                description = {
                    "default, cnn, lenet, mlp, resnet20, or layers such as",
                    "\"conv(32,3) relu maxpool(2) flatten dense(128) relu dense(10)\".",
                    "Default: cnn for images, resnet20 for cifar10, mlp for tables."
                })
        String text;

        @Option(
                names = "--dropout",
                paramLabel = "P",
                description = "Drop probability of the model's dropout layers; a model without one gets one before its"
                        + " last layer.")
        Double dropout;
    }

    /** How it learns. */
    static final class Fit {
        @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training samples.")
        Integer epochs;

        @Option(names = "--batch", paramLabel = "N", description = "Samples per step.")
        Integer batch;

        @Option(names = "--optimizer", paramLabel = "NAME", description = "sgd or adamw.")
        String optimizer;

        @Option(names = "--lr", paramLabel = "RATE", description = "Highest learning rate.")
        Double rate;

        @Option(names = "--momentum", paramLabel = "M", description = "Of sgd, with Nesterov's correction.")
        Double momentum;

        @Option(
                names = "--schedule",
                paramLabel = "NAME",
                description = "Course of the learning rate: constant, step (a tenth after 1/2 and 3/4), cosine or"
                        + " one-cycle.")
        String schedule;

        @Option(
                names = "--early-stopping",
                paramLabel = "EPOCHS",
                description = "Stop after so many epochs without a better validation loss, and keep the best weights."
                        + " 0 is off.")
        Integer patience;

        @Option(names = "--seed", paramLabel = "N", description = "Of everything random: same seed, same weights.")
        Long seed;
    }

    /** What keeps it from learning by heart. */
    static final class Regularization {
        @Option(names = "--weight-decay", paramLabel = "W", description = "Decoupled decay per unit of learning rate.")
        Double weightDecay;

        @Option(names = "--l1", paramLabel = "W", description = "Penalty on the sum of absolute weights.")
        Double l1;

        @Option(names = "--l2", paramLabel = "W", description = "Penalty on half the sum of squared weights.")
        Double l2;

        @Option(
                names = "--label-smoothing",
                paramLabel = "E",
                description = "Share of each target that is spread over all classes.")
        Double labelSmoothing;

        @Option(names = "--clip", paramLabel = "NORM", description = "Largest norm of the gradient. 0 is off.")
        Double clip;
    }
}
