package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.CudaException;
import io.quern.backend.DeviceLostException;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.testing.Simulator;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Driver calls that fail while a training step is captured, launched as a graph and tidied up. */
@Tag("cuda-sim")
class CudaGraphFaultTest {
    private static final TrainingOptions OPTIONS = TrainingOptions.of(
                    1, new CrossEntropyLoss(), new AdamW(), new OneCycle(1e-2))
            .withClipNorm(1);

    private Simulator simulator;
    /** True when the fault was still to come when all work was done. */
    private boolean closing;
    /** True when the failure said that the device is lost. */
    private boolean lost;

    @BeforeEach
    void reset() {
        simulator = Simulator.require();
    }

    @AfterEach
    void nothingIsLeft() {
        if (simulator != null) {
            nothingLeaks("the test");
            simulator.reset();
        }
    }

    private void nothingLeaks(String when) {
        assertEquals(0, simulator.outstandingBytes(), when + " leaks device bytes");
        assertEquals(0, simulator.pinnedBytes(), when + " leaks pinned bytes");
        assertEquals(0, simulator.outstandingHandles(), when + " leaks handles, graphs maybe");
    }

    /** From the step that is captured on, each driver call fails once in turn; CudaTrainingFaultTest has those before. */
    @ParameterizedTest
    @ValueSource(strings = {"CUDA_ERROR_OUT_OF_MEMORY", "CUDA_ERROR_INVALID_VALUE", "CUDA_ERROR_LAUNCH_FAILED"})
    void everyFailingCallIsReportedAndLeavesNothing(String error) {
        boolean sticky = error.equals("CUDA_ERROR_LAUNCH_FAILED");
        Set<String> hits = new HashSet<>();
        for (int call = 1; ; call++) {
            simulator.reset();
            String rule = "*:" + call + "=" + error;
            boolean failed =
                    Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> trainingFails(rule), rule);
            if (simulator.pendingFaults() > 0) {
                assertTrue(!failed && call > 40, "only " + call + " driver calls");
                break;
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
                    assertTrue(!trainingFails(""), "the run after " + rule);
                }
            }
        }
        assertTrue(
                hits.containsAll(Set.of(
                        "cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphLaunch")),
                hits.toString());
    }

    /** Five steps: two watched, after which the rule holds, one captured, two repeated. */
    private boolean trainingFails(String rule) {
        closing = false;
        ToyData data = ToyData.twoMoons(20, 1);
        try (Backend backend = Backends.of("cuda-sim", 1);
                Network network = Network.build(
                        ModelParser.parse("dense(3) relu dropout(0.2) dense(2)"),
                        data.sampleShape(),
                        Rng.of(7),
                        DType.F32,
                        backend.memory());
                Trainer trainer = new Trainer(network, backend, OPTIONS)) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer source, Step step) {
                    if (step.step() == 2) {
                        simulator.fail(rule);
                    }
                }
            });
            trainer.fit(Loader.inOrder(data, 4));
            closing = simulator.pendingFaults() > 0;
            return false;
        } catch (CudaException e) { // any other kind is not documented, and fails the test
            lost = e instanceof DeviceLostException;
            return true;
        }
    }
}
