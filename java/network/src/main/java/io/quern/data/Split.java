package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;

/**
 * What is learned from, what is chosen by, and what is reported on. The three parts share no sample, and have the same
 * sample shape and classes.
 *
 * @param validation may be empty
 * @param description one line for reports: the data, their origin and what limits comparisons
 */
public record Split(Dataset train, Dataset validation, Dataset test, String description) {

    public Split {
        requireAlike(train, validation, "validation");
        requireAlike(train, test, "test");
    }

    private static void requireAlike(Dataset train, Dataset other, String name) {
        if (!train.sampleShape().equals(other.sampleShape())) {
            throw new QuernException("training samples have shape " + train.sampleShape() + " but " + name
                    + " samples have " + other.sampleShape() + "; both parts must come from the same kind of data");
        }
        if (!train.classNames().equals(other.classNames())) {
            throw new QuernException("the classes of the training part, " + brief(train) + ", differ from those of the "
                    + name + " part, " + brief(other) + "; both parts must name the same classes");
        }
    }

    private static String brief(Dataset data) {
        return data.classes() <= 12
                ? data.classNames().toString()
                : data.classes() + " classes from " + data.classNames().subList(0, 6);
    }

    /** Sets a stratified share of the training samples aside for validation, as a function of the seed. */
    public static Split of(Dataset training, Dataset test, double validationShare, long seed, String description) {
        int[] chosen = Stratified.choose(training, share(training.size(), validationShare, "validation"), seed);
        Dataset rest = Subset.of(training, Stratified.others(training.size(), chosen));
        return new Split(rest, Subset.of(training, chosen), test, description);
    }

    /** Cuts one data set in three stratified parts, as a function of the seed. Shares are of the whole. */
    public static Split of(Dataset all, double validationShare, double testShare, long seed, String description) {
        int validation = share(all.size(), validationShare, "validation");
        int test = share(all.size(), testShare, "test");
        if ((long) validation + test > all.size()) {
            throw new ArgumentException("validation share " + validationShare + " and test share " + testShare
                    + " exceed the whole; lower one of them");
        }
        int[] forTest = Stratified.choose(all, test, seed);
        Dataset training = Subset.of(all, Stratified.others(all.size(), forTest));
        int[] forValidation = Stratified.choose(training, validation, seed);
        Dataset rest = Subset.of(training, Stratified.others(training.size(), forValidation));
        return new Split(rest, Subset.of(training, forValidation), Subset.of(all, forTest), description);
    }

    private static int share(int size, double share, String name) {
        if (!(share >= 0 && share < 1)) {
            throw new ArgumentException(name + " share is " + share + ", expected 0 <= share < 1");
        }
        return (int) Math.round(size * share);
    }

    /** All three parts seen through one normalization. */
    public Split normalized(Normalization normalization) {
        return new Split(
                Normalized.of(train, normalization),
                Normalized.of(validation, normalization),
                Normalized.of(test, normalization),
                description);
    }

    /** At most this many samples in each part, stratified, as a function of the seed. */
    public Split limit(int trainSamples, int validationSamples, int testSamples, long seed) {
        return new Split(
                Subset.limit(train, trainSamples, seed),
                Subset.limit(validation, validationSamples, seed),
                Subset.limit(test, testSamples, seed),
                description);
    }
}
