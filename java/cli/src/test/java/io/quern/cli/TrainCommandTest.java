package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.tensor.Shape;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainCommandTest {
    @Test
    void beginsWithBackendDataAndModelAndEndsWithTheTestAccuracy() {
        Cli.Result result = TrainedOnce.result();
        assertTrue(result.lines().get(0).startsWith("backend  vector: "), result.out());
        assertTrue(result.lines().get(1).contains("570 training, 30 validation and 200 test images of 28x28x1"));
        assertTrue(result.lines().get(2).startsWith("model    "), result.out());
        assertTrue(result.lines().get(2).contains(" parameters: " + TrainedOnce.MODEL), result.out());
        assertTrue(result.line("epoch 2/2").contains("validation"), result.out());
        assertTrue(result.line("trained in ").matches("trained in [0-9.]+ s \\(.*"), result.out());
        assertTrue(result.lastLine().matches("test accuracy [0-9]+\\.[0-9]{2} % \\([0-9]+/200\\)"), result.lastLine());
        assertEquals("", result.err());
    }

    @Test
    void learnsMoreThanChance() {
        double accuracy = Double.parseDouble(TrainedOnce.result().lastLine().split(" ")[2]);
        assertTrue(accuracy > 20, "ten classes, but " + accuracy + " %");
    }

    @Test
    void fillsTheRunFolder() throws IOException {
        Path run = TrainedOnce.run();
        for (String name : List.of("model.safetensors", "config.json", "report.html")) {
            assertTrue(Files.size(run.resolve(name)) > 0, name);
        }
        BufferedImage curves = ImageIO.read(run.resolve("curves.png").toFile());
        assertEquals(2 * 720, curves.getWidth());
        assertTrue(ImageIO.read(run.resolve("confusion.png").toFile()).getHeight() > 500);
        List<String> csv = Files.readAllLines(run.resolve("metrics.csv"));
        assertEquals(3, csv.size());
        assertTrue(csv.get(2).startsWith("2,"), csv.get(2));
        assertEquals(2, Files.readAllLines(run.resolve("metrics.jsonl")).size());
        try (var checkpoints = Files.list(run.resolve("checkpoints"))) {
            assertTrue(checkpoints.findAny().isPresent());
        }
        try (var files = Files.walk(run)) {
            assertTrue(files.noneMatch(file -> file.toString().contains(".tmp")), "a temporary file was left");
        }
    }

    @Test
    void recordsWhatIsNeededToUseTheWeights() {
        RunConfig config = RunConfig.read(new RunFolder(TrainedOnce.run()).config());
        assertEquals(TrainedOnce.MODEL, config.model());
        assertEquals(Shape.of(28, 28, 1), config.inputShape());
        assertEquals(10, config.classNames().size());
        assertEquals(TrainedOnce.DATA, config.data());
        assertEquals("32", config.options().get("--batch"));
        assertEquals("1", config.options().get("--seed"));
        assertTrue(config.facts().fingerprint().matches("[0-9a-f]{32}"));
        assertTrue(config.normalization().deviation().getFirst() > 0);
    }

    @Test
    void reportNeedsNothingButItself() throws IOException {
        String html = Files.readString(TrainedOnce.run().resolve("report.html"));
        assertTrue(html.contains("Confusion matrix"));
        assertTrue(html.contains("data:image/png;base64,"), "mistakes are shown");
        assertTrue(html.contains("<svg"));
        assertTrue(!html.contains("http") && !html.contains("<script") && !html.contains("src=\"/"), "self-contained");
    }

    @Test
    void refusesAFolderThatHoldsSomething(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("thesis.txt"), "do not lose");
        Cli.Result other = Cli.run("train", "--out", folder);
        assertEquals(ExitCode.FAILED, other.code());
        assertTrue(other.err().contains("exists and is not empty; name another folder"), other.err());
        Cli.Result run = Cli.run("train", "--out", TrainedOnce.run());
        assertTrue(run.err().contains("add --resume to continue that run"), run.err());
    }

    @Test
    void oneSeedGivesOneSetOfWeights(@TempDir Path folder) throws IOException {
        byte[][] weights = new byte[2][];
        for (int i = 0; i < 2; i++) {
            Path out = folder.resolve("run" + i);
            Object[] args = {
                "train",
                "--data",
                "strokes,train=100,test=20",
                "--model",
                "mlp",
                "--epochs",
                1,
                "--seed",
                7,
                "--out",
                out,
                "--threads",
                i + 1,
                "--validation",
                0,
                "--optimizer",
                "sgd",
                "--l1",
                1e-5,
                "--clip",
                1
            };
            assertEquals(ExitCode.DONE, Cli.run(args).code());
            weights[i] = Files.readAllBytes(out.resolve("model.safetensors"));
        }
        assertArrayEquals(weights[0], weights[1]);
    }

    @Test
    void earlyStoppingEndsBeforeTheLastEpoch(@TempDir Path folder) {
        Object[] args = {
            "train",
            "--data",
            "strokes,train=100,test=20",
            "--model",
            "flatten dense(10)",
            "--epochs",
            50,
            "--lr",
            0.5,
            "--schedule",
            "constant",
            "--optimizer",
            "sgd",
            "--validation",
            0.2,
            "--early-stopping",
            1,
            "--out",
            folder.resolve("run")
        };
        Cli.Result result = Cli.run(args);
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertTrue(result.line("stopped early").contains("were the best"), result.out());
        assertTrue(result.lines().stream().noneMatch(line -> line.startsWith("epoch 50/50")), result.out());
    }

    @Test
    void learnsTables(@TempDir Path folder) throws IOException {
        StringBuilder csv = new StringBuilder("x,colour,label\n");
        for (int i = 0; i < 200; i++) {
            boolean yes = i * 37 % 100 < 50;
            csv.append(i * 37 % 100).append(i % 2 == 0 ? ",red," : ",blue,").append(yes ? "yes\n" : "no\n");
        }
        Path table = Files.writeString(folder.resolve("table.csv"), csv);
        Path out = folder.resolve("run");
        Cli.Result result = Cli.run("train", "--data", "csv:" + table + ",target=label", "--out", out);
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertTrue(Double.parseDouble(result.lastLine().split(" ")[2]) > 80, result.lastLine());
        Cli.Result predicted = Cli.run("predict", out, TrainedOnce.picture(folder, 0));
        assertEquals(ExitCode.FAILED, predicted.code());
        assertTrue(predicted.err().contains("not images"), predicted.err());
    }
}
