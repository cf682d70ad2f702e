package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.testing.OnEveryCudaDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same training on a GPU, simulated or real, and on the CPU. */
class CudaTrainingTest extends OnEveryCudaDevice {
    private static final String MODEL =
            "conv(4,3) batchnorm relu maxpool(2) flatten dense(16) relu dropout(0.25) dense(4)";
    /** Relative to the loss: a few steps of two f32 implementations that sum in different orders. */
    private static final double BOUND = 1e-4;

    /** Batch norm hides the bias before it, whose gradient is rounding noise, which AdamW would blow up to whole steps. */
    private static TrainingOptions options(String model) {
        Optimizer optimizer = model.contains("batchnorm") ? new Sgd(0.9) : new AdamW();
        return TrainingOptions.of(1, new CrossEntropyLoss(), optimizer, new ConstantRate(3e-3));
    }

    private static Network build(String model, ToyData data, Backend backend) {
        return Network.build(ModelParser.parse(model), data.sampleShape(), Rng.of(7), DType.F32, backend.memory());
    }

    /** Losses of the steps of an epoch, then the loss of an evaluation. */
    private static List<Double> losses(String name, String model, ToyData data, Path weights) {
        List<Double> losses = new ArrayList<>();
        try (Backend backend = Backends.of(name, 1);
                Network network = build(model, data, backend);
                Trainer trainer = new Trainer(network, backend, options(model))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer source, Step step) {
                    losses.add(step.loss());
                }
            });
            trainer.fit(Loader.shuffled(data, 16, 3), Loader.inOrder(data, 16));
            if (weights != null) {
                Weights.save(network, weights);
            }
            try (Evaluator evaluator = new Evaluator(network, backend, new CrossEntropyLoss())) {
                losses.add(evaluator.evaluate(Loader.inOrder(data, 16)).loss());
            }
        }
        return losses;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                MODEL,
                "flatten dense(20) gelu layernorm dense(4)",
                "depthwise(3) relu avgpool(2) conv(5,3,stride=2) silu flatten dense(4)"
            })
    void lossesAgreeWithTheCpu(String model) {
        ToyData data = ToyData.quarters(64, 8, 1);
        List<Double> expected = losses("scalar", model, data, null);
        List<Double> actual = losses(device.name(), model, data, null);
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i), actual.get(i), BOUND * expected.get(i), "step " + i + " of " + model);
        }
    }

    @Test
    void aSecondRunAndLateCompletionChangeNoBit() {
        ToyData data = ToyData.quarters(32, 8, 1);
        List<Double> eager = losses(device.name(), MODEL, data, null);
        device.simulator().ifPresent(simulator -> simulator.setLate(true));
        assertEquals(eager, losses(device.name(), MODEL, data, null));
    }

    @Test
    void weightsMoveBetweenDeviceAndHost(@TempDir Path folder) {
        ToyData data = ToyData.quarters(32, 8, 1);
        Path file = folder.resolve("weights.safetensors");
        List<Double> losses = losses(device.name(), MODEL, data, file);
        try (Backend backend = Backends.of("scalar", 1);
                Network network = build(MODEL, data, backend);
                Evaluator evaluator = new Evaluator(network, backend, new CrossEntropyLoss())) {
            Weights.load(network, file);
            double loss = evaluator.evaluate(Loader.inOrder(data, 16)).loss();
            assertEquals(losses.getLast(), loss, BOUND * loss);
        }
    }

    @Test
    void aNetworkElsewhereIsRefused() {
        try (Backend backend = device.open();
                Network network = Network.build(
                        ModelParser.parse("dense(2)"), ToyData.twoMoons(2, 1).sampleShape(), Rng.of(1))) {
            ArgumentException refused =
                    assertThrows(ArgumentException.class, () -> new Trainer(network, backend, options("")));
            assertTrue(refused.getMessage().contains("in host memory, the backend works in " + device));
        }
    }
}
