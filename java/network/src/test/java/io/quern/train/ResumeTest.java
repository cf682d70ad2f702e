package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.FormatException;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.regularize.EarlyStopping;
import io.quern.regularize.WeightPenalty;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A training that was interrupted anywhere ends with the same bits as one that was not. */
class ResumeTest {
    private static final String MODEL = "conv(4,3,padding=same,bias=false) batchnorm relu maxpool(2) "
            + "residual(conv(4,3,padding=same) batchnorm relu) flatten dense(8) relu dropout(0.3) layernorm dense(4)";
    private static final ToyData TRAIN = ToyData.quarters(44, 8, 1);
    private static final ToyData VALIDATION = ToyData.quarters(20, 8, 2);
    private static Backend backend;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        backend = Backends.best(2);
    }

    @AfterAll
    static void close() {
        backend.close();
    }

    private static TrainingOptions options(String optimizer) {
        return TrainingOptions.of(
                        4,
                        new CrossEntropyLoss().withLabelSmoothing(0.1),
                        optimizer.equals("AdamW") ? new AdamW() : new Sgd(0.9, true, 1e-3),
                        new CosineDecay(0.02, 0.2, 0.01))
                .withClipNorm(1)
                .withPenalty(new WeightPenalty(1e-4, 1e-4))
                .withEarlyStopping(new EarlyStopping(9))
                .withSeed(11);
    }

    private static Network network() {
        return Network.build(ModelParser.parse(MODEL), Shape.of(8, 8, 1), Rng.of(11));
    }

    private static TrainingResult fit(Trainer trainer) {
        return trainer.fit(Loader.shuffled(TRAIN, 8, 11), Loader.inOrder(VALIDATION, 8));
    }

    /** The bytes of everything that a checkpoint holds at the end: weights, state, optimizer, best, position. */
    private byte[] uninterrupted(String optimizer, Path checkpoint) throws IOException {
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options(optimizer))) {
            assertEquals(24, fit(trainer).steps());
            trainer.save(checkpoint);
        }
        return Files.readAllBytes(checkpoint);
    }

    @Test
    void listenersHearOfAnEpochBeforeItsCheckpointIsThere() {
        CheckpointFolder checkpoints = new CheckpointFolder(folder.resolve("run"));
        List<Integer> saved = new java.util.ArrayList<>();
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options("Sgd"))) {
            trainer.checkpoints(checkpoints, 0).listen(new TrainingListener() {
                @Override
                public void onEpoch(Trainer running, EpochReport report) {
                    saved.add(checkpoints.newestFirst().size());
                }
            });
            fit(trainer);
        }
        assertEquals(List.of(0, 1), saved.subList(0, 2));
        assertTrue(checkpoints.latest().orElseThrow().toString().contains("24"), "the last epoch has its checkpoint");
    }

    @ParameterizedTest
    @CsvSource({"AdamW,1", "AdamW,6", "AdamW,9", "AdamW,23", "Sgd,5", "Sgd,12", "Sgd,13"})
    void stoppedAfterAnyStepAndResumedElsewhereTheBitsAreTheSame(String optimizer, int stopAfter) throws IOException {
        byte[] expected = uninterrupted(optimizer, folder.resolve("whole.safetensors"));

        CheckpointFolder checkpoints = new CheckpointFolder(folder.resolve("run"));
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options(optimizer))) {
            trainer.checkpoints(checkpoints, 0).listen(new TrainingListener() {
                @Override
                public void onStep(Trainer running, Step step) {
                    if (step.step() == stopAfter) {
                        running.stop();
                    }
                }
            });
            TrainingResult first = fit(trainer);
            assertEquals(TrainingResult.End.STOPPED, first.end());
            assertEquals(stopAfter, first.steps());
        }
        Path end = folder.resolve("resumed.safetensors");
        try (Network network = Network.build(ModelParser.parse(MODEL), Shape.of(8, 8, 1), Rng.of(99));
                Trainer trainer = new Trainer(network, backend, options(optimizer))) {
            trainer.resume(checkpoints.latest().orElseThrow());
            TrainingResult second = fit(trainer);
            assertEquals(24, second.steps());
            assertEquals(4, second.epochs().size());
            trainer.save(end);
        }
        assertArrayEquals(expected, Files.readAllBytes(end));
    }

    @Test
    void aCheckpointWithinAnEpochIsAsGoodAsOneAtItsEnd() throws IOException {
        byte[] expected = uninterrupted("AdamW", folder.resolve("whole.safetensors"));
        CheckpointFolder checkpoints = new CheckpointFolder(folder.resolve("run"), 99);
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options("AdamW"))) {
            trainer.checkpoints(checkpoints, 5);
            fit(trainer);
        }
        assertEquals(8, checkpoints.newestFirst().size(), "after steps 5, 6, 10, 12, 15, 18, 20, 24");
        for (Path checkpoint : checkpoints.newestFirst()) {
            Path end = folder.resolve("resumed.safetensors");
            try (Network network = network();
                    Trainer trainer = new Trainer(network, backend, options("AdamW"))) {
                trainer.resume(checkpoint);
                fit(trainer);
                trainer.save(end);
            }
            assertArrayEquals(expected, Files.readAllBytes(end), checkpoint.toString());
        }
    }

    @Test
    void theBitsAreAFunctionOfTheSeed() {
        assertArrayEquals(weightsWithSeed(11), weightsWithSeed(11));
        assertFalse(Arrays.equals(weightsWithSeed(11), weightsWithSeed(12)), "dropout draws from the seed");
    }

    private static float[] weightsWithSeed(long seed) {
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options("AdamW").withSeed(seed))) {
            fit(trainer);
            return network.trained().values().toFloats();
        }
    }

    @Test
    void resumingWithOtherSettingsIsRefused() throws IOException {
        Path checkpoint = folder.resolve("adamw.safetensors");
        uninterrupted("AdamW", checkpoint);
        try (Network network = network();
                Trainer sgd = new Trainer(network, backend, options("Sgd"));
                Trainer otherSeed =
                        new Trainer(network, backend, options("AdamW").withSeed(5));
                Trainer same = new Trainer(network, backend, options("AdamW"));
                Network otherModel =
                        Network.build(ModelParser.parse("flatten dense(4)"), Shape.of(8, 8, 1), Rng.of(1));
                Trainer other = new Trainer(otherModel, backend, options("AdamW"))) {
            float[] before = network.trained().values().toFloats();
            assertTrue(assertThrows(FormatException.class, () -> sgd.resume(checkpoint))
                    .getMessage()
                    .contains("was it saved with another optimizer?"));
            assertTrue(assertThrows(FormatException.class, () -> otherSeed.resume(checkpoint))
                    .getMessage()
                    .contains("saved with seed '11', this training has '5'"));
            assertTrue(assertThrows(FormatException.class, () -> other.resume(checkpoint))
                    .getMessage()
                    .contains("saved with model"));
            assertArrayEquals(before, network.trained().values().toFloats(), "a refused resume changes nothing");
            same.resume(checkpoint);
            assertTrue(assertThrows(
                            ArgumentException.class,
                            () -> same.fit(Loader.shuffled(TRAIN, 4, 11), Loader.inOrder(VALIDATION, 8)))
                    .getMessage()
                    .contains("6 batches per epoch, these data have 11"));
        }
    }

    @Test
    void damageIsFoundAndTheCheckpointBeforeIsTaken() throws IOException {
        CheckpointFolder checkpoints = new CheckpointFolder(folder.resolve("run"));
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options("AdamW"))) {
            trainer.checkpoints(checkpoints, 0);
            fit(trainer);
        }
        assertEquals(2, checkpoints.newestFirst().size());
        Path newest = checkpoints.newestFirst().getFirst();
        assertEquals(newest, checkpoints.latest().orElseThrow());
        byte[] bytes = Files.readAllBytes(newest);
        bytes[bytes.length - 100] ^= 1;
        Files.write(newest, bytes);
        assertEquals(checkpoints.newestFirst().get(1), checkpoints.latest().orElseThrow());
        try (Network network = network();
                Trainer trainer = new Trainer(network, backend, options("AdamW"))) {
            assertTrue(assertThrows(FormatException.class, () -> trainer.resume(newest))
                    .getMessage()
                    .contains("the contents differ from what was saved"));
        }
    }

    @Test
    void aFlippedBitAnywhereInTheFileIsFound() throws IOException {
        Path file = folder.resolve("whole.safetensors");
        byte[] bytes = uninterrupted("AdamW", file);
        for (int i = 0; i < 400; i++) {
            byte[] damaged = bytes.clone();
            // every third in the header, where the position is
            int at = Rng.of(4).step(i).below(0, i % 3 == 0 ? 3000 : bytes.length);
            damaged[at] ^= (byte) (1 << Rng.of(4).step(i).below(1, 8));
            Files.write(file, damaged);
            try (Network network = network();
                    Trainer trainer = new Trainer(network, backend, options("AdamW"))) {
                assertThrows(FormatException.class, () -> trainer.resume(file), "byte " + at);
            }
        }
    }

    @Test
    void aPositionThatCannotBeIsRefused() {
        TrainingPosition position = new TrainingPosition();
        Map<String, String> text = position.toText();
        assertEquals(0, TrainingPosition.fromText("f", text).step);
        for (String change : List.of("epoch=-1", "batch=3", "step=x", "waited=-1", "reports=1 2", "best=")) {
            Map<String, String> changed = new TreeMap<>(text);
            changed.put(change.split("=")[0], change.substring(change.indexOf('=') + 1));
            assertThrows(FormatException.class, () -> TrainingPosition.fromText("f", changed), change);
        }
        text.remove("rate");
        assertTrue(assertThrows(FormatException.class, () -> TrainingPosition.fromText("f", text))
                .getMessage()
                .contains("'rate' is missing"));
    }
}
