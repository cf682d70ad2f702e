package io.quern.train;

/** The learning rate as a pure function of the step. */
public interface Schedule {
    /**
     * @param step 0 for the first step
     * @param total steps of the whole training, at least 1
     */
    double rate(long step, long total);
}
