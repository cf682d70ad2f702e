package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainResumeTest {
    @TempDir
    private Path folder;

    /** The finished run as it was after its first epoch. */
    private Path afterFirstEpoch() throws IOException {
        Path run = copy(TrainedOnce.run(), folder.resolve("run"));
        Files.delete(run.resolve("model.safetensors"));
        Files.delete(checkpoints(run).getLast());
        assertEquals(1, checkpoints(run).size());
        return run;
    }

    private static List<Path> checkpoints(Path run) throws IOException {
        try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
            return files.sorted().toList();
        }
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return to;
    }

    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void givesTheWeightsOfARunThatWasNotInterrupted() throws IOException {
        Path run = afterFirstEpoch();
        Cli.Result result = Cli.run("train", "--out", run, "--resume");
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertTrue(result.line("resume ").contains("step-"), result.out());
        assertTrue(result.lines().stream().noneMatch(line -> line.startsWith("epoch 1/2")), result.out());
        assertEquals(TrainedOnce.result().lastLine(), result.lastLine());
        assertArrayEquals(
                Files.readAllBytes(TrainedOnce.run().resolve("model.safetensors")),
                Files.readAllBytes(run.resolve("model.safetensors")));
        assertEquals(3, Files.readAllLines(run.resolve("metrics.csv")).size());
    }

    @Test
    void acceptsTheSameOptionsAndRefusesOthers() throws IOException {
        Path run = afterFirstEpoch();
        Cli.Result other = Cli.run("train", "--out", run, "--resume", "--lr", "0.01");
        assertEquals(ExitCode.USAGE, other.code());
        assertTrue(other.err().contains("--lr 0.01 contradicts the run, which has 0.002"), other.err());
        Cli.Result same = Cli.run("train", "--out", run, "--resume", "--lr", "0.0020", "--epochs", 2);
        assertEquals(ExitCode.DONE, same.code(), same.err());
    }

    @Test
    void unfinishedRunIsNoModelYet() throws IOException {
        Cli.Result result = Cli.run("evaluate", afterFirstEpoch());
        assertEquals(ExitCode.FAILED, result.code());
        assertTrue(result.err().contains("--resume"), result.err());
    }

    @Test
    void withoutACheckpointTrainingStartsAgain() throws IOException {
        Path run = afterFirstEpoch();
        Files.delete(checkpoints(run).getFirst());
        Cli.Result result = Cli.run("train", "--out", run, "--resume");
        assertTrue(result.line("resume ").contains("from the start"), result.out());
        assertEquals(TrainedOnce.result().lastLine(), result.lastLine());
    }

    @Test
    void damagedCheckpointsAreOneClearError() throws IOException {
        Path run = afterFirstEpoch();
        damage(checkpoints(run).getFirst());
        Cli.Result result = Cli.run("train", "--out", run, "--resume");
        assertEquals(ExitCode.FAILED, result.code());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains("no checkpoint is intact; delete this folder"), result.err());
    }

    @Test
    void terminatedTrainingKeepsACheckpointAndSaysHowToGoOn() throws Exception {
        Path run = folder.resolve("stopped");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "train",
                        "--data",
                        "strokes,train=1000,test=20",
                        "--model",
                        "flatten dense(10)",
                        "--epochs",
                        "100000",
                        "--out",
                        run.toString())
                .redirectErrorStream(true)
                .start();
        try (var output = process.inputReader()) {
            String line = output.readLine();
            while (line != null && !line.startsWith("epoch 2/")) {
                line = output.readLine();
            }
            process.toHandle().destroy(); // unlike Process.destroy, leaves the output open
            List<String> rest = output.lines().toList();
            assertTrue(rest.getLast().contains("--out " + run + " --resume"), rest.toString());
        }
        assertNotEquals(0, process.waitFor());
        assertTrue(checkpoints(run).stream().anyMatch(file -> file.toString().endsWith(".safetensors")));
    }
}
