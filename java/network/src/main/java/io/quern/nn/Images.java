package io.quern.nn;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/** What layers on images ask of their input. */
final class Images {
    private Images() {}

    /** Height, width and channels. */
    static void require(Shape input, String kind) {
        if (input.rank() != 3) {
            throw new ArgumentException(kind + " takes an image of height x width x channels");
        }
    }
}
