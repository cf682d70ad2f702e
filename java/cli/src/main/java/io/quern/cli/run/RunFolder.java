package io.quern.cli.run;

import io.quern.tensor.QuernException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The layout of a run: model.safetensors, config.json, metrics.csv, metrics.jsonl, curves.png, confusion.png,
 * report.html and checkpoints/.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
    /** A folder that is new or empty; one with contents is an error that says what to do. Nothing is made yet. */
    public static RunFolder unused(Path path) {
        RunFolder run = new RunFolder(path);
        if (Files.exists(path) && !Files.isDirectory(path)) {
            throw new QuernException("--out " + path + " is a file; name a folder that is new or empty");
        }
        if (Files.isDirectory(path) && !isEmpty(path)) {
            throw new QuernException("--out " + path + " exists and is not empty; "
                    + (Files.exists(run.config()) ? "add --resume to continue that run, or " : "")
                    + "name another folder");
        }
        return run;
    }

    /** Makes the folder. */
    public void create() {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first of runs/NAME-1, runs/NAME-2, ... that does not exist. */
    public static Path next(Path parent, String name) {
        int number = 1;
        while (Files.exists(parent.resolve(name + "-" + number))) {
            number++;
        }
        return parent.resolve(name + "-" + number);
    }

    /** A folder that {@code quern train} has made; anything else is an error. */
    public static RunFolder open(Path path) {
        RunFolder run = new RunFolder(path);
        if (!Files.isDirectory(path)) {
            throw new QuernException(
                    path + ": there is no such run folder; give the folder that 'quern train' wrote (its --out)");
        }
        if (!Files.isRegularFile(run.config())) {
            throw new QuernException(path + " is no run: it holds no config.json; give the folder that 'quern train'"
                    + " wrote (its --out)");
        }
        return run;
    }

    private static boolean isEmpty(Path folder) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            return !entries.iterator().hasNext();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path model() {
        return path.resolve("model.safetensors");
    }

    public Path config() {
        return path.resolve("config.json");
    }

    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    public Path curves() {
        return path.resolve("curves.png");
    }

    public Path confusion() {
        return path.resolve("confusion.png");
    }

    public Path report() {
        return path.resolve("report.html");
    }

    /** The weights; an error that says what to do when training has not come to its end. */
    public Path finishedModel() {
        if (!Files.isRegularFile(model())) {
            throw new QuernException(path + " holds no model.safetensors: its training did not finish; continue it with"
                    + " 'quern train --out " + path + " --resume'");
        }
        return model();
    }

    /** Replaces metrics.csv and metrics.jsonl. */
    public void writeMetrics(List<Metrics> epochs) {
        StringBuilder csv = new StringBuilder(Metrics.HEADER).append('\n');
        StringBuilder jsonl = new StringBuilder();
        for (Metrics epoch : epochs) {
            csv.append(epoch.csv()).append('\n');
            jsonl.append(epoch.json()).append('\n');
        }
        TextFile.write(path.resolve("metrics.csv"), csv.toString());
        TextFile.write(path.resolve("metrics.jsonl"), jsonl.toString());
    }

    /** What metrics.jsonl holds; empty before the first epoch is done. */
    public List<Metrics> readMetrics() {
        Path file = path.resolve("metrics.jsonl");
        List<Metrics> epochs = new ArrayList<>();
        try {
            if (Files.exists(file)) {
                for (String line : Files.readAllLines(file)) {
                    epochs.add(Metrics.of((Map<?, ?>) Json.read(line)));
                }
            }
        } catch (IOException | ClassCastException e) {
            throw new QuernException(file + " is damaged: " + e.getMessage() + "; delete it to go on without it", e);
        }
        return epochs;
    }
}
