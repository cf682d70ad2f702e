package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.cli.report.Pictures;
import io.quern.data.Dataset;
import io.quern.data.Strokes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small run that several tests look at; nobody may change it. */
final class TrainedOnce {
    static final String DATA = "strokes,train=600,test=200";
    static final String MODEL = "conv(6,5,stride=2) relu maxpool(2) flatten dense(32) relu dropout(0.2) dense(10)";

    private static Cli.Result result;
    private static Path run;

    private TrainedOnce() {}

    static synchronized Path run() {
        if (run == null) {
            Path folder = temporary();
            result = Cli.run("train", "--data", DATA, "--model", MODEL, "--epochs", 2, "--batch", 32, "--out", folder);
            assertEquals(ExitCode.DONE, result.code(), result.err());
            run = folder;
        }
        return run;
    }

    static Cli.Result result() {
        run();
        return result;
    }

    /** A picture of the test part as a PNG file. */
    static Path picture(Path folder, int index) {
        Dataset test = Strokes.test(index + 1, 1);
        float[] values = new float[test.sampleLength()];
        test.read(index, values, 0);
        try {
            return Files.write(
                    folder.resolve("digit" + index + ".png"), Pictures.png(Pictures.image(test.sampleShape(), values)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path temporary() {
        try {
            Path folder = Files.createTempDirectory("quern-run");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (var files = Files.walk(folder)) {
            files.sorted(java.util.Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
