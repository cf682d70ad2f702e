package io.quern.op;

import io.quern.tensor.Tensor;

/**
 * Runs steps of training that repeat the same ops on the same memory: a GPU records such a step once and launches it as
 * one piece from then on. Belongs to one training loop, and is closed before the step's memory.
 */
public interface StepRepeater extends AutoCloseable {
    /**
     * One step in two parts. Both do what they do by running ops, and both may be run more than once or not at all.
     *
     * @param key equal for steps of the same shapes whose inputs lie at the same addresses
     * @param number of the step; ops whose generator has this step get that of each later one
     * @param body everything up to the gradients
     * @param update moves the parameters; the numbers of its optimizer ops may differ from step to step
     * @param guard one element that the body computes: unless it is finite, the update does not happen; null for always
     */
    record Step(Object key, int number, Runnable body, Runnable update, Tensor guard) {}

    /** Runs or queues the step; false if nothing was run because this step has to be run op by op. */
    boolean run(Step step);

    @Override
    void close();
}
