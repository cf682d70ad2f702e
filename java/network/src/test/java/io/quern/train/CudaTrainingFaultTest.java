package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.CudaException;
import io.quern.backend.DeviceLostException;
import io.quern.backend.DeviceUnavailableException;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.testing.Simulator;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A training step in which every driver call fails once. */
@Tag("cuda-sim")
class CudaTrainingFaultTest {
    private static final TrainingOptions OPTIONS = TrainingOptions.of(
                    1, new CrossEntropyLoss(), new AdamW(), new ConstantRate(3e-3))
            .withClipNorm(1);

    private Simulator simulator;
    /** True when the fault was still to come when all work was done. */
    private boolean closing;
    /** True when the failure said that the device is lost, or could not be had. */
    private boolean lost;

    @BeforeEach
    void reset() {
        simulator = Simulator.require();
    }

    @AfterEach
    void nothingIsLeft() {
        if (simulator != null) {
            assertEquals(0, simulator.outstandingBytes(), "device bytes leaked");
            assertEquals(0, simulator.pinnedBytes(), "pinned bytes leaked");
            simulator.reset();
        }
    }

    /** Each driver call fails once in turn: a documented exception, nothing left behind, and the next run works. */
    @ParameterizedTest
    @ValueSource(strings = {"CUDA_ERROR_OUT_OF_MEMORY", "CUDA_ERROR_INVALID_VALUE", "CUDA_ERROR_LAUNCH_FAILED"})
    void everyFailingCallIsReportedAndLeavesNothing(String error) {
        ToyData data = ToyData.twoMoons(8, 1);
        boolean sticky = error.equals("CUDA_ERROR_LAUNCH_FAILED");
        for (int call = 1; ; call++) {
            simulator.reset();
            String rule = "*:" + call + "=" + error;
            simulator.fail(rule);
            boolean failed = Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> stepFails(data), rule);
            if (simulator.pendingFaults() > 0) {
                assertTrue(!failed && call > 50, "only " + call + " driver calls in a step");
                break;
            }
            String hit = simulator.lastInjected();
            assertTrue(
                    failed || QuietCalls.may(hit, error, sticky, closing),
                    rule + " hit " + hit + (closing ? " while closing" : "") + " and was not reported");
            assertTrue(!sticky || !failed || lost, rule + " hit " + hit + " and did not say that the device is lost");
            if (!sticky) {
                assertEquals(0, simulator.outstandingBytes(), rule + " leaks device bytes, at " + hit);
                assertEquals(0, simulator.pinnedBytes(), rule + " leaks pinned bytes, at " + hit);
                assertEquals(0, simulator.outstandingHandles(), rule + " leaks handles, at " + hit);
                if (call % 16 == 0) {
                    simulator.fail("");
                    assertTrue(!stepFails(data), "the run after " + rule);
                }
            }
        }
    }

    /** A whole step, from opening the backend to closing it. */
    private boolean stepFails(ToyData data) {
        closing = false;
        try (Backend backend = Backends.of("cuda-sim", 1);
                Network network = Network.build(
                        ModelParser.parse("flatten dense(3) relu dropout(0.2) dense(2)"),
                        data.sampleShape(),
                        Rng.of(7),
                        DType.F32,
                        backend.memory());
                Trainer trainer = new Trainer(network, backend, OPTIONS)) {
            trainer.fit(Loader.inOrder(data, 8));
            closing = simulator.pendingFaults() > 0;
            return false;
        } catch (CudaException e) { // any other kind is not documented, and fails the test
            lost = e instanceof DeviceLostException
                    || e instanceof DeviceUnavailableException; // the latter while it is opened
            return true;
        }
    }
}
