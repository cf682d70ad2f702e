package io.quern.nn;

import io.quern.op.Tape;
import io.quern.tensor.Rng;

/**
 * One way through a network.
 *
 * @param tape runs and records the ops
 * @param training true: dropout drops, batch norm uses and updates batch statistics, parameters are watched
 * @param rng seed and step of the randomness; each layer takes a stream of its own
 */
public record Pass(Tape tape, boolean training, Rng rng) {
    /** A training step; {@code rng} carries the run's seed and the step's number. */
    public static Pass training(Tape tape, Rng rng) {
        return new Pass(tape, true, rng);
    }

    /** A pass without randomness that changes no state. */
    public static Pass inference(Tape tape) {
        return new Pass(tape, false, Rng.of(0));
    }
}
