package io.quern.data;

import io.quern.tensor.ArgumentException;
import java.nio.file.Path;

/**
 * What loading data needs besides their name.
 *
 * @param dataDirectory where public data may already be; null for none
 * @param cache where public data are kept once fetched
 * @param seed of the random splits
 * @param threads for decoding and drawing
 * @param validationShare of the training samples, 0 <= share < 1; unused where the data come with a validation part
 * @param testShare of all samples, where the data come without a test part
 * @param schema what the columns of a table mean to a network that was trained on another; null to learn it from the file
 */
public record DataOptions(
        Path dataDirectory,
        Path cache,
        long seed,
        int threads,
        double validationShare,
        double testShare,
        CsvSchema schema) {

    public DataOptions {
        if (!(validationShare >= 0 && testShare >= 0 && validationShare + testShare < 1)) {
            throw new ArgumentException("validation share is " + validationShare + " and test share " + testShare
                    + ", expected at least 0 and a sum below 1");
        }
    }

    /** A tenth for validation, a fifth for test where there is none, the default cache. */
    public static DataOptions of(Path dataDirectory, long seed, int threads) {
        return new DataOptions(dataDirectory, PublicData.defaultCache(), seed, threads, 0.1, 0.2, null);
    }

    public DataOptions withShares(double newValidationShare, double newTestShare) {
        return new DataOptions(dataDirectory, cache, seed, threads, newValidationShare, newTestShare, schema);
    }

    public DataOptions withSchema(CsvSchema newSchema) {
        return new DataOptions(dataDirectory, cache, seed, threads, validationShare, testShare, newSchema);
    }
}
