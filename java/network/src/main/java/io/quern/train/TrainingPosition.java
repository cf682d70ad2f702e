package io.quern.train;

import io.quern.data.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far a training has come, and what it has measured: with the tensors, all that a resume needs. Random numbers are
 * functions of seed and step, so there is no generator to save.
 */
final class TrainingPosition {
    /** The epoch that is being trained, from 0. */
    int epoch;
    /** Batches of this epoch that are done. */
    int batch;
    /** Batches per epoch; 0 before the first step. */
    int batches;
    /** Steps done. */
    long step;
    /** Learning rate of the last step. */
    double rate = Double.NaN;

    // of the epoch so far
    double lossSum;
    long samples;
    long right;

    // of early stopping
    double best = Double.NaN;
    int bestEpoch = -1;
    int waited;

    final List<EpochReport> reports = new ArrayList<>();

    void add(TrainingStep.Outcome outcome, double usedRate) {
        batch++;
        step++;
        rate = usedRate;
        samples += outcome.counted();
        right += outcome.right();
        lossSum += outcome.counted() == 0 ? 0 : outcome.loss() * outcome.counted();
    }

    void nextEpoch(EpochReport report) {
        reports.add(report);
        epoch++;
        batch = 0;
        lossSum = 0;
        samples = 0;
        right = 0;
    }

    Map<String, String> toText() {
        Map<String, String> text = new TreeMap<>();
        text.put("epoch", Integer.toString(epoch));
        text.put("batch", Integer.toString(batch));
        text.put("batches", Integer.toString(batches));
        text.put("step", Long.toString(step));
        text.put("rate", Double.toString(rate));
        text.put("loss-sum", Double.toString(lossSum));
        text.put("samples", Long.toString(samples));
        text.put("right", Long.toString(right));
        text.put("best", Double.toString(best));
        text.put("best-epoch", Integer.toString(bestEpoch));
        text.put("waited", Integer.toString(waited));
        text.put("reports", reports.stream().map(TrainingPosition::toText).collect(Collectors.joining("\n")));
        return text;
    }

    private static String toText(EpochReport r) {
        return r.epoch() + " " + r.step() + " " + r.loss() + " " + r.accuracy() + " " + r.validationLoss() + " "
                + r.validationAccuracy() + " " + r.rate() + " " + r.best();
    }

    /** @throws FormatException when something is missing or no number */
    static TrainingPosition fromText(String file, Map<String, String> text) {
        try {
            TrainingPosition position = new TrainingPosition();
            position.epoch = Integer.parseInt(get(text, "epoch"));
            position.batch = Integer.parseInt(get(text, "batch"));
            position.batches = Integer.parseInt(get(text, "batches"));
            position.step = Long.parseLong(get(text, "step"));
            position.rate = Double.parseDouble(get(text, "rate"));
            position.lossSum = Double.parseDouble(get(text, "loss-sum"));
            position.samples = Long.parseLong(get(text, "samples"));
            position.right = Long.parseLong(get(text, "right"));
            position.best = Double.parseDouble(get(text, "best"));
            position.bestEpoch = Integer.parseInt(get(text, "best-epoch"));
            position.waited = Integer.parseInt(get(text, "waited"));
            get(text, "reports").lines().map(TrainingPosition::report).forEach(position.reports::add);
            if (position.epoch < 0
                    || position.batch < 0
                    || position.batch > position.batches
                    || position.step < position.batch
                    || position.waited < 0) {
                throw new IllegalArgumentException("epoch " + position.epoch + ", batch " + position.batch + " of "
                        + position.batches + ", step " + position.step + " is no place in a training");
            }
            return position;
        } catch (IllegalArgumentException e) {
            throw SafetensorsHeader.fail(file, "the training position cannot be read: " + e.getMessage(), e);
        }
    }

    private static String get(Map<String, String> text, String key) {
        String value = text.get(key);
        if (value == null) {
            throw new IllegalArgumentException("'" + key + "' is missing");
        }
        return value;
    }

    private static EpochReport report(String line) {
        String[] parts = line.split(" ", -1);
        if (parts.length != 8) {
            throw new IllegalArgumentException("an epoch's report has " + parts.length + " fields");
        }
        return new EpochReport(
                Integer.parseInt(parts[0]),
                Long.parseLong(parts[1]),
                Double.parseDouble(parts[2]),
                Double.parseDouble(parts[3]),
                Double.parseDouble(parts[4]),
                Double.parseDouble(parts[5]),
                Double.parseDouble(parts[6]),
                Boolean.parseBoolean(parts[7]));
    }
}
