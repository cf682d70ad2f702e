package io.quern.data;

import io.quern.tensor.ArgumentException;

/** What data sets answer to an index that they do not have. */
final class SampleIndex {
    private SampleIndex() {}

    static void check(int index, int size) {
        if (index < 0 || index >= size) {
            throw new ArgumentException("sample " + index + " is outside a data set of " + size);
        }
    }
}
