package io.quern.cli;

import io.quern.data.Augmentation;
import io.quern.data.Loader;
import io.quern.data.Split;

/**
 * How the samples of a run come in batches.
 *
 * @param seed of order and augmentation
 * @param augmentation null for none
 */
record Loading(int batch, long seed, Augmentation augmentation) {
    /** Samples at once where nothing is learned. */
    static final int EVALUATION_BATCH = 256;

    static Loading of(TrainOptions options, DataChoice data) {
        return new Loading(
                options.fit().batch, options.fit().seed, options.data().augment ? data.augmentation() : null);
    }

    Loader training(Split split) {
        return Loader.shuffled(split.train(), batch, seed).withAugmentation(augmentation);
    }

    /** Null without a validation part. */
    Loader validation(Split split) {
        return split.validation().size() == 0 ? null : Loader.inOrder(split.validation(), EVALUATION_BATCH);
    }
}
