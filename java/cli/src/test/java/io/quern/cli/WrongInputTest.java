package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong input is told on one line that says what, where and what to do, with exit code 1. */
class WrongInputTest {
    @TempDir
    private Path folder;

    private static void assertOneLine(Cli.Result result, int code, String... pieces) {
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("quern: "), result.err());
        for (String piece : pieces) {
            assertTrue(result.err().contains(piece), "'" + piece + "' is missing in " + result.err());
        }
        assertFalse(result.err().contains("Exception"), result.err());
        assertEquals(code, result.code());
    }

    private Cli.Result train(String data) {
        Path out = folder.resolve("run");
        Cli.Result result = Cli.run("train", "--data", data, "--epochs", 1, "--out", out);
        assertFalse(Files.exists(out), "nothing was made");
        return result;
    }

    @Test
    void missingFilesAndFolders() {
        assertOneLine(train("csv:" + folder.resolve("no.csv")), 1, "no.csv", "check the path");
        assertOneLine(train("idx:" + folder.resolve("no")), 1, "no", "check the path");
        assertOneLine(train("images:" + folder.resolve("no.zip")), 1, "no.zip", "check the path");
        assertOneLine(Cli.run("train", "--data", "mnist", "--data-dir", folder.resolve("no")), 1, "check the path");
        assertOneLine(Cli.run("evaluate", folder.resolve("no")), 1, "no such run folder", "quern train");
        assertOneLine(Cli.run("evaluate", folder), 1, "holds no config.json", "quern train");
        assertOneLine(Cli.run("train", "--resume", "--out", folder), 1, "holds no config.json");
        assertOneLine(Cli.run("predict", TrainedOnce.run(), folder.resolve("no.png")), 1, "no.png", "check the path");
    }

    @Test
    void truncatedIdx() throws IOException {
        byte[] images = new byte[16 + 2 * 28 * 28 - 1];
        images[2] = 8;
        images[3] = 3;
        images[7] = 2;
        images[11] = 28;
        images[15] = 28;
        for (String part : new String[] {"train", "t10k"}) {
            Files.write(folder.resolve(part + "-images-idx3-ubyte"), images);
            Files.write(folder.resolve(part + "-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 2, 3, 4});
        }
        assertOneLine(train("idx:" + folder), 1, "train-images-idx3-ubyte", "fetch");
    }

    @Test
    void tableWithAHole() throws IOException {
        Path table = Files.writeString(folder.resolve("t.csv"), "age,label\n30,yes\n,no\n40,yes\n");
        assertOneLine(train("csv:" + table), 1, "line 3", "age", "missing=drop");
    }

    @Test
    void imageOfAnotherSize() throws IOException {
        Path big = folder.resolve("big.png");
        ImageIO.write(new BufferedImage(30, 29, BufferedImage.TYPE_INT_RGB), "png", big.toFile());
        assertOneLine(
                Cli.run("predict", TrainedOnce.run(), big),
                1,
                "big.png",
                "30x29 pixels, the model takes 28x28",
                "scale");
        assertOneLine(Cli.run("explain", TrainedOnce.run(), big), 1, "30x29 pixels");
    }

    @Test
    void damagedImageOfTheTestPartIsFoundBeforeTraining() throws IOException {
        java.io.ByteArrayOutputStream png = new java.io.ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(28, 28, BufferedImage.TYPE_INT_RGB), "png", png);
        for (String name : new String[] {"train/a", "train/b", "test/a", "test/b"}) {
            Path part = Files.createDirectories(folder.resolve("images").resolve(name));
            Files.write(part.resolve("1.png"), png.toByteArray());
            Files.write(part.resolve("2.png"), png.toByteArray());
        }
        Path damaged = folder.resolve("images/test/b/2.png");
        Files.write(damaged, java.util.Arrays.copyOf(png.toByteArray(), png.size() / 2));
        Cli.Result result = train("images:" + folder.resolve("images"));
        assertEquals(1, result.code());
        assertTrue(result.err().startsWith("quern: " + damaged), result.err());
        assertTrue(result.err().contains("repair or remove"), result.err());
    }

    @Test
    void imageThatIsNone() throws IOException {
        Path text = Files.writeString(folder.resolve("text.png"), "hello");
        assertOneLine(Cli.run("predict", TrainedOnce.run(), text), 1, "text.png", "neither PNG nor JPEG");
    }

    @Test
    void modelThatDoesNotFit() {
        String data = "strokes,train=50,test=20";
        Path out = folder.resolve("run");
        assertOneLine(
                Cli.run("train", "--data", data, "--model", "conv(8,30) flatten dense(10)", "--out", out),
                2,
                "layer 1, conv(8,30)",
                "28x28x1");
        assertOneLine(
                Cli.run("train", "--data", data, "--model", "flatten dense(7)", "--out", out),
                2,
                "10 classes",
                "dense(10)");
        assertFalse(Files.exists(out), "nothing was made");
    }

    @Test
    void damagedRun() throws IOException {
        Path run = Files.createDirectory(folder.resolve("damaged"));
        Path config = run.resolve("config.json");
        String text = Files.readString(TrainedOnce.run().resolve("config.json"));
        Files.writeString(config, text.substring(0, text.length() / 2));
        assertOneLine(Cli.run("evaluate", run), 1, "config.json is damaged", "train again");
        Files.writeString(config, text.replace("quern-run-1", "quern-run-9"));
        assertOneLine(Cli.run("evaluate", run), 1, "quern-run-9, expected quern-run-1");
        Files.writeString(config, text.replace("dense(32)", "dense(33)"));
        byte[] weights = Files.readAllBytes(TrainedOnce.run().resolve("model.safetensors"));
        Files.write(run.resolve("model.safetensors"), weights);
        assertOneLine(Cli.run("evaluate", run), 1, "model.safetensors", "shape");
        Files.writeString(config, text);
        Files.write(run.resolve("model.safetensors"), java.util.Arrays.copyOf(weights, weights.length / 2));
        assertOneLine(Cli.run("evaluate", run), 1, "model.safetensors");
    }
}
