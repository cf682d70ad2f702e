package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed while it saves one checkpoint after the other leaves only what a resume accepts. */
class CrashTest {
    private static final int KILLS = 8;

    @TempDir
    private Path folder;

    /** The process that is killed: trains for ever, saving after every step. */
    public static void main(String[] arguments) {
        try (Backend backend = Backends.of("reference", 1);
                Network network = network();
                Trainer trainer = trainer(network, backend)) {
            CheckpointFolder checkpoints = new CheckpointFolder(Path.of(arguments[0]));
            checkpoints.latest().ifPresent(trainer::resume);
            trainer.checkpoints(checkpoints, 1);
            trainer.fit(loader());
        }
    }

    private static Network network() {
        return Network.build(ModelParser.parse("dense(300) relu dense(2)"), Shape.of(2), Rng.of(5));
    }

    private static Trainer trainer(Network network, Backend backend) {
        return new Trainer(
                network,
                backend,
                TrainingOptions.of(1_000_000, new CrossEntropyLoss(), new AdamW(), new ConstantRate(1e-3)));
    }

    private static Loader loader() {
        return Loader.shuffled(ToyData.twoMoons(40, 1), 8, 5);
    }

    @Test
    void killedAtAnyInstantTheNewestCheckpointIsWhole() throws IOException, InterruptedException {
        long lastStep = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = new ProcessBuilder(List.of(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("java.class.path"),
                            CrashTest.class.getName(),
                            folder.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            long wanted = lastStep + 3;
            while (newestStep() < wanted && process.isAlive()) {
                Thread.sleep(2);
            }
            // a different instant of the write each time
            TimeUnit.MICROSECONDS.sleep(Rng.of(7).step(kill).below(0, 20_000));
            assertTrue(
                    process.isAlive(),
                    "the child ended by itself with " + (process.isAlive() ? 0 : process.exitValue()));
            process.destroyForcibly().waitFor();

            lastStep = resumedSteps();
            assertTrue(lastStep >= wanted, lastStep + " steps after a kill, expected at least " + wanted);
        }
        try (var files = Files.list(folder)) {
            assertTrue(files.count() <= 4, "two checkpoints, at most one more and one half written");
        }
    }

    private long newestStep() {
        return new CheckpointFolder(folder)
                .newestFirst().stream()
                        .findFirst()
                        .map(path ->
                                Long.parseLong(path.getFileName().toString().replaceAll("\\D", "")))
                        .orElse(0L);
    }

    /** Steps of the newest checkpoint, which must be intact and go on. */
    private long resumedSteps() {
        Optional<Path> newest =
                new CheckpointFolder(folder).newestFirst().stream().findFirst();
        assertEquals(newest, new CheckpointFolder(folder).latest(), "the newest checkpoint is damaged");
        try (Backend backend = Backends.of("reference", 1);
                Network network = network();
                Trainer trainer = trainer(network, backend)) {
            trainer.resume(newest.orElseThrow());
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer running, Step step) {
                    running.stop();
                }
            });
            return trainer.fit(loader()).steps() - 1;
        }
    }
}
