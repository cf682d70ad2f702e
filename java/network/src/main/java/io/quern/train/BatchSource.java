package io.quern.train;

import io.quern.op.Tape;

/**
 * Batches as a function of (epoch, index), so that a resumed run continues at the exact batch with two numbers and no
 * generator state.
 */
public interface BatchSource {
    /** Batches per epoch, the same for every epoch. */
    int batches();

    /** A batch whose tensors live at least until the tape's workspace is reset. */
    Batch batch(Tape tape, int epoch, int index);
}
