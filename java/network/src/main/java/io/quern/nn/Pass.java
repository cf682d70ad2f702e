package io.quern.nn;

import io.quern.op.Packing;
import io.quern.op.Tape;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;

/**
 * One way through a network.
 *
 * @param tape runs and records the ops
 * @param training true: dropout drops, batch norm uses and updates batch statistics, parameters are watched
 * @param rng seed and step of the randomness; each layer takes a stream of its own
 * @param packings of weights that do not change, or null
 */
public record Pass(Tape tape, boolean training, Rng rng, Packings packings) {
    /** A training step; {@code rng} carries the run's seed and the step's number. */
    public static Pass training(Tape tape, Rng rng) {
        return new Pass(tape, true, rng, null);
    }

    /** A pass without randomness that changes no state. */
    public static Pass inference(Tape tape) {
        return inference(tape, null);
    }

    /** One of several with the same weights. */
    public static Pass inference(Tape tape, Packings packings) {
        return new Pass(tape, false, Rng.of(0), packings);
    }

    /** For an op that multiplies by this weight; null where it may have changed since the last pass. */
    Packing packing(Tensor weight) {
        return packings == null ? null : packings.of(weight);
    }
}
