package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.DeviceLostException;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.testing.Simulator;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
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
    private FailingCalls calls;

    @BeforeEach
    void reset() {
        simulator = Simulator.require();
        calls = new FailingCalls(simulator, this::train, Set.of(DeviceLostException.class));
    }

    @AfterEach
    void nothingIsLeft() {
        if (calls != null) {
            calls.nothingIsLeft();
        }
    }

    /** From the step that is captured on; CudaTrainingFaultTest has the calls before. */
    @ParameterizedTest
    @ValueSource(strings = {"CUDA_ERROR_OUT_OF_MEMORY", "CUDA_ERROR_INVALID_VALUE", "CUDA_ERROR_LAUNCH_FAILED"})
    void everyFailingCallIsReportedAndLeavesNothing(String error) {
        Set<String> hits = calls.all(error, 40);
        assertTrue(
                hits.containsAll(Set.of(
                        "cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphLaunch")),
                hits.toString());
    }

    /** Five steps: two watched, after which the rule holds, one captured, two repeated. */
    private void train(String rule, Runnable done) {
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
            done.run();
        }
    }
}
