package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.CudaException;
import io.quern.testing.Simulator;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/** Trainings on the simulated GPU of which each driver call fails once, in turn. */
final class FailingCalls {
    /** From opening the backend to closing it. */
    interface Training {
        /**
         * @param rule for {@link Simulator#fail}, empty for none
         * @param done to be called when all work is done and nothing is closed
         */
        void run(String rule, Runnable done);
    }

    private final Simulator simulator;
    private final Training training;
    private final Set<Class<? extends CudaException>> losses;
    /** True when the fault was still to come when all work was done. */
    private boolean closing;
    /** True when the failure said that the device is lost. */
    private boolean lost;

    /** @param losses how a training says that the device is lost, or could not be had */
    FailingCalls(Simulator simulator, Training training, Set<Class<? extends CudaException>> losses) {
        this.simulator = simulator;
        this.training = training;
        this.losses = losses;
    }

    /**
     * Runs the training until no call is left to fail: a documented exception, nothing left behind, and the next run works.
     *
     * @param calls that there must be more of
     * @return the functions that failed
     */
    Set<String> all(String error, int calls) {
        boolean sticky = error.equals("CUDA_ERROR_LAUNCH_FAILED");
        Set<String> hits = new HashSet<>();
        for (int call = 1; ; call++) {
            simulator.reset();
            String rule = "*:" + call + "=" + error;
            boolean failed = assertTimeoutPreemptively(Duration.ofSeconds(60), () -> fails(rule), rule);
            if (simulator.pendingFaults() > 0) {
                assertTrue(!failed && call > calls, "only " + call + " driver calls");
                return hits;
            }
            String hit = simulator.lastInjected();
            hits.add(hit);
            assertTrue(
                    failed || QuietCalls.may(hit, error, sticky, closing),
                    rule + " hit " + hit + (closing ? " while closing" : "") + " and was not reported");
            assertTrue(!sticky || !failed || lost, rule + " hit " + hit + " and did not say that the device is lost");
            if (!sticky) {
                nothingLeaks(rule + " at " + hit);
                if (call % 16 == 0) {
                    assertTrue(!fails(""), "the run after " + rule);
                }
            }
        }
    }

    /** For the end of a test. */
    void nothingIsLeft() {
        nothingLeaks("the test");
        simulator.reset();
    }

    private void nothingLeaks(String when) {
        assertEquals(0, simulator.outstandingBytes(), when + " leaks device bytes");
        assertEquals(0, simulator.pinnedBytes(), when + " leaks pinned bytes");
        assertEquals(0, simulator.outstandingHandles(), when + " leaks handles, graphs maybe");
    }

    private boolean fails(String rule) {
        closing = false;
        try {
            training.run(rule, () -> closing = simulator.pendingFaults() > 0);
            return false;
        } catch (CudaException e) { // any other kind is not documented, and fails the test
            lost = losses.contains(e.getClass());
            return true;
        }
    }
}
