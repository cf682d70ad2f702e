package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.regularize.EarlyStopping;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Memory;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TrainerTest {
    private static final ToyData MOONS = ToyData.twoMoons(64, 1);

    private static Network network(String model) {
        return Network.build(ModelParser.parse(model), Shape.of(2), Rng.of(1));
    }

    private static TrainingOptions options(int epochs, double rate) {
        return TrainingOptions.of(epochs, new CrossEntropyLoss(), new Sgd(0), new ConstantRate(rate));
    }

    @Test
    void aStepOfPlainDescentIsRateTimesGradient() {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2,bias=false)");
                Trainer trainer = new Trainer(network, backend, options(1, 0.5))) {
            network.parameter("dense1.weight").value().fill(0);
            ToyData one = new ToyData(Shape.of(2), new float[][] {{3, -2}}, new int[] {1}, List.of("a", "b"));
            trainer.fit(Loader.inOrder(one, 1));
            // at logits (0, 0) the gradient of the logits is (0.5, -0.5)
            assertArrayEquals(
                    new float[] {-0.75f, 0.75f, 0.5f, -0.5f},
                    network.parameter("dense1.weight").value().toFloats());
        }
    }

    @Test
    void weightDecayAndPenaltiesSpareBiasesAndNorms() {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(4) layernorm dense(2)");
                Trainer trainer = new Trainer(
                        network,
                        backend,
                        TrainingOptions.of(
                                1,
                                (tape, output, labels) -> io.quern.op.Scale.apply(
                                        tape,
                                        io.quern.op.Reduce.apply(tape, output, io.quern.op.ReduceKind.SUM, 0, 1),
                                        0),
                                new Sgd(0, false, 0.1),
                                new ConstantRate(0.5)))) {
            network.trained().values().fill(1);
            trainer.fit(Loader.inOrder(MOONS, 64));
            network.parameters().forEach(p -> {
                float expected = p.name().endsWith("weight") ? 0.95f : 1;
                for (float value : p.value().toFloats()) {
                    assertEquals(expected, value, 1e-6f, p.name());
                }
            });
        }
    }

    @Test
    void clippingBoundsTheGlobalNormOfTheGradient() {
        double[] moved = new double[2];
        for (int i = 0; i < 2; i++) {
            try (Backend backend = Backends.of("reference", 1);
                    Network network = network("dense(8) relu dense(2)");
                    Trainer trainer =
                            new Trainer(network, backend, options(1, 1).withClipNorm(i == 0 ? 0 : 0.01))) {
                float[] before = network.trained().values().toFloats();
                trainer.fit(Loader.inOrder(MOONS, 64));
                float[] after = network.trained().values().toFloats();
                double square = 0;
                for (int k = 0; k < after.length; k++) {
                    square += Math.pow((double) after[k] - before[k], 2);
                }
                moved[i] = Math.sqrt(square);
            }
        }
        assertTrue(moved[0] > 0.02, "not clipped: " + moved[0]);
        assertEquals(0.01, moved[1], 1e-5);
    }

    @Test
    void equalStepsAllocateNothingAndReportTheirHighWaterMark() {
        Set<Long> reserved = new HashSet<>();
        Set<Long> live = new HashSet<>();
        try (Backend backend = Backends.best(2);
                Network network = Network.build(
                        ModelParser.parse(
                                "conv(4,3) relu maxpool(2) flatten dense(8) batchnorm relu dropout(0.5) dense(4)"),
                        Shape.of(8, 8, 1),
                        Rng.of(1));
                Trainer trainer = new Trainer(
                        network,
                        backend,
                        TrainingOptions.of(1, new CrossEntropyLoss(), new AdamW(), new ConstantRate(1e-3))
                                .withClipNorm(1))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer running, Step step) {
                    if (step.step() > 2) {
                        reserved.add(running.bytesReserved());
                        live.add(Memory.host().liveBytes());
                    }
                }
            });
            TrainingResult result = trainer.fit(Loader.shuffled(ToyData.quarters(320, 8, 1), 16, 1));
            assertEquals(20, result.steps());
            assertEquals(1, reserved.size(), () -> "" + reserved);
            assertEquals(1, live.size(), () -> "" + live);
            assertTrue(result.highWaterMark() > 16 * 64 * 4 && result.highWaterMark() <= trainer.bytesReserved());
        }
    }

    @Test
    void closingFreesEverything() {
        long before = Memory.host().liveBlocks();
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(4) relu dense(2)");
                Trainer trainer =
                        new Trainer(network, backend, options(2, 0.1).withEarlyStopping(new EarlyStopping(1)))) {
            trainer.fit(Loader.inOrder(MOONS, 16), Loader.inOrder(MOONS, 16));
            assertTrue(Memory.host().liveBlocks() > before);
        }
        assertEquals(before, Memory.host().liveBlocks());
    }

    @Test
    void aLossThatIsNotANumberStopsTheTrainingAndSaysWhere() {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2)");
                Trainer trainer = new Trainer(network, backend, options(3, 0.1))) {
            float[][] samples = new float[40][2];
            samples[25][1] = Float.NaN;
            ToyData data = new ToyData(Shape.of(2), samples, new int[40], List.of("a", "b"));
            QuernException e = assertThrows(QuernException.class, () -> trainer.fit(Loader.inOrder(data, 8)));
            assertTrue(e.getMessage().startsWith("the loss is NaN in epoch 1, batch 4, step 4"), e.getMessage());
            for (float value : network.trained().values().toFloats()) {
                assertTrue(Float.isFinite(value), "the bad step has changed nothing");
            }
        }
    }

    @Test
    void aLossThatIsNotANumberMayBeTolerated() {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2)");
                Trainer trainer = new Trainer(network, backend, options(1, 0.1).withStopOnNonFinite(false))) {
            ToyData data = new ToyData(Shape.of(2), new float[][] {{Float.NaN, 0}}, new int[1], List.of("a", "b"));
            TrainingResult result = trainer.fit(Loader.inOrder(data, 1));
            assertEquals(1, result.steps());
            assertTrue(Double.isNaN(result.epochs().getFirst().loss()));
        }
    }

    @Test
    void earlyStoppingEndsTheTrainingAndBringsTheBestWeightsBack() {
        List<float[]> weights = new ArrayList<>();
        // a rate far too high: the loss gets worse at some time
        TrainingOptions options = TrainingOptions.of(50, new CrossEntropyLoss(), new Sgd(0.9), new ConstantRate(3))
                .withEarlyStopping(new EarlyStopping(3));
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(16) relu batchnorm dense(2)");
                Trainer trainer = new Trainer(network, backend, options);
                Evaluator evaluator = new Evaluator(network, backend, options.loss())) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onEpoch(Trainer running, EpochReport report) {
                    weights.add(network.trained().values().toFloats());
                }
            });
            Loader validation = Loader.inOrder(ToyData.twoMoons(50, 2), 50);
            TrainingResult result = trainer.fit(Loader.shuffled(MOONS, 16, 1), validation);

            assertEquals(TrainingResult.End.EARLY, result.end());
            int best = 0;
            for (EpochReport report : result.epochs()) {
                if (report.validationLoss() < result.epochs().get(best).validationLoss()) {
                    best = report.epoch();
                }
            }
            assertEquals(best, result.bestEpoch());
            assertTrue(result.epochs().get(best).best());
            assertEquals(best + 4, result.epochs().size(), "three epochs of patience");
            assertArrayEquals(weights.get(best), network.trained().values().toFloats());
            assertFalse(
                    Arrays.equals(weights.getLast(), network.trained().values().toFloats()));
            assertEquals(
                    result.epochs().get(best).validationLoss(),
                    evaluator.evaluate(validation).loss(),
                    "running statistics came back as well");
        }
    }

    @Test
    void stoppingAtTheVeryEndIsFinishing() {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2)");
                Trainer trainer = new Trainer(network, backend, options(2, 0.1))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer running, Step step) {
                    if (step.step() == 4) {
                        running.stop();
                    }
                }
            });
            TrainingResult result = trainer.fit(Loader.inOrder(MOONS, 32));
            assertEquals(TrainingResult.End.FINISHED, result.end());
            assertEquals(2, result.epochs().size());
        }
    }

    @Test
    void earlyStoppingNeedsAValidationSet() {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2)");
                Trainer trainer =
                        new Trainer(network, backend, options(1, 1).withEarlyStopping(new EarlyStopping(1)))) {
            assertEquals(
                    "early stopping needs a validation set",
                    assertThrows(ArgumentException.class, () -> trainer.fit(Loader.inOrder(MOONS, 8)))
                            .getMessage());
        }
    }

    @Test
    void listenersHearOfEveryStepAndEpoch() {
        List<String> heard = new ArrayList<>();
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2)");
                Trainer trainer = new Trainer(network, backend, options(2, 0.1))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer running, Step step) {
                    heard.add(step.epoch() + "." + step.batch() + "/" + step.batches() + " step " + step.step() + " n "
                            + step.samples());
                }

                @Override
                public void onEpoch(Trainer running, EpochReport report) {
                    heard.add("epoch " + report.epoch() + " of step " + report.step());
                }
            });
            trainer.fit(Loader.inOrder(MOONS, 40));
        }
        assertEquals(
                List.of(
                        "0.0/2 step 1 n 40",
                        "0.1/2 step 2 n 24",
                        "epoch 0 of step 2",
                        "1.0/2 step 3 n 40",
                        "1.1/2 step 4 n 24",
                        "epoch 1 of step 4"),
                heard);
    }

    @Test
    void theEpochsLossIsTheMeanOverItsSamples() {
        List<TrainingListener.Step> steps = new ArrayList<>();
        try (Backend backend = Backends.of("reference", 1);
                Network network = network("dense(2)");
                Trainer trainer = new Trainer(network, backend, options(1, 0.1))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer running, Step step) {
                    steps.add(step);
                }
            });
            EpochReport report = trainer.fit(Loader.inOrder(MOONS, 40)).epochs().getFirst();
            assertEquals((40 * steps.get(0).loss() + 24 * steps.get(1).loss()) / 64, report.loss(), 1e-12);
            assertTrue(report.accuracy() > 0.3 && report.accuracy() <= 1);
            assertTrue(Double.isNaN(report.validationLoss()));
        }
    }

    @Test
    void threadsDoNotChangeTheBits() {
        List<float[]> weights = new ArrayList<>();
        for (int threads : new int[] {1, 2, 3}) {
            try (Backend backend = Backends.best(threads);
                    Network network = Network.build(
                            ModelParser.parse("conv(8,3) relu flatten dense(16) batchnorm relu dropout(0.5) dense(4)"),
                            Shape.of(12, 12, 1),
                            Rng.of(1));
                    Trainer trainer = new Trainer(
                            network,
                            backend,
                            TrainingOptions.of(1, new CrossEntropyLoss(), new AdamW(), new ConstantRate(1e-2)))) {
                trainer.fit(Loader.shuffled(ToyData.quarters(128, 12, 1), 32, 1));
                weights.add(network.trained().values().toFloats());
            }
        }
        assertArrayEquals(weights.get(0), weights.get(1));
        assertArrayEquals(weights.get(0), weights.get(2));
    }
}
