package io.quern.train;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.DeviceLostException;
import io.quern.backend.DeviceUnavailableException;
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

/** A training step in which every driver call fails once. */
@Tag("cuda-sim")
class CudaTrainingFaultTest {
    private static final TrainingOptions OPTIONS = TrainingOptions.of(
                    1, new CrossEntropyLoss(), new AdamW(), new ConstantRate(3e-3))
            .withClipNorm(1);

    private Simulator simulator;
    private FailingCalls calls;

    @BeforeEach
    void reset() {
        simulator = Simulator.require();
        calls = new FailingCalls(
                simulator, this::train, Set.of(DeviceLostException.class, DeviceUnavailableException.class));
    }

    @AfterEach
    void nothingIsLeft() {
        if (calls != null) {
            calls.nothingIsLeft();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CUDA_ERROR_OUT_OF_MEMORY", "CUDA_ERROR_INVALID_VALUE", "CUDA_ERROR_LAUNCH_FAILED"})
    void everyFailingCallIsReportedAndLeavesNothing(String error) {
        calls.all(error, 50);
    }

    /** A whole step, from opening the backend, which may find the device unavailable, to closing it. */
    private void train(String rule, Runnable done) {
        simulator.fail(rule);
        ToyData data = ToyData.twoMoons(8, 1);
        try (Backend backend = Backends.of("cuda-sim", 1);
                Network network = Network.build(
                        ModelParser.parse("flatten dense(3) relu dropout(0.2) dense(2)"),
                        data.sampleShape(),
                        Rng.of(7),
                        DType.F32,
                        backend.memory());
                Trainer trainer = new Trainer(network, backend, OPTIONS)) {
            trainer.fit(Loader.inOrder(data, 8));
            done.run();
        }
    }
}
