package io.quern.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backends;
import io.quern.backend.cuda.CudaBackend;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** A device under test, simulated or real: what only the simulator can do is skipped on the other. */
public final class CudaTestDevice {
    static final String SIMULATOR = "cuda-sim";

    private final String name;
    private Simulator simulator;

    CudaTestDevice(String name) {
        this.name = name;
    }

    /** The backend's name. */
    public String name() {
        return name;
    }

    /** A new backend on it. */
    public CudaBackend open() {
        return (CudaBackend) Backends.of(name, 1);
    }

    /** Its counts and controls, which no GPU has. */
    public Optional<Simulator> simulator() {
        return Optional.ofNullable(simulator);
    }

    /** Completes work as late as allowed; a GPU decides that itself, so one of the two tests is skipped there. */
    public void setLate(boolean late) {
        Assumptions.assumeTrue(simulator != null || !late, "only the simulator can be late on purpose");
        simulator().ifPresent(controls -> controls.setLate(late));
    }

    /** Like a new process, where that can be had; skips the test where the device is missing. */
    void reset() {
        simulator = name.equals(SIMULATOR) ? Simulator.require() : null;
    }

    /** Fails where the driver still holds something; only the simulator tells. */
    public void assertNothingLeft(String when) {
        simulator().ifPresent(controls -> {
            assertEquals(0, controls.reports(), when + ": the simulator reports misuse");
            assertEquals(0, controls.outstandingBytes(), when + " leaks device bytes");
            assertEquals(0, controls.pinnedBytes(), when + " leaks pinned bytes");
            assertEquals(0, controls.outstandingHandles(), when + " leaks driver handles, graphs maybe");
        });
    }

    @Override
    public String toString() {
        return name;
    }
}
