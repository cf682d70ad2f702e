package io.quern.cli;

import io.quern.cli.report.Charts;
import io.quern.cli.report.Mistake;
import io.quern.cli.report.Pictures;
import io.quern.cli.report.TrainingReport;
import io.quern.cli.run.Metrics;
import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.data.Dataset;
import io.quern.data.Loader;
import io.quern.data.Split;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.Evaluation;
import io.quern.train.Evaluator;
import io.quern.train.TrainingResult;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a finished training leaves behind: the test, charts, the report, and the last lines. */
record TrainingOutcome(Terminal terminal, Job job, TrainingResult result, List<Metrics> metrics) {
    private static final int SHOWN_MISTAKES = 24;

    /** @param test the normalized test part of {@code raw} */
    void write(Split raw, Dataset test) {
        RunFolder run = job.run();
        RunConfig config = job.config();
        Evaluation evaluation;
        List<Mistake> mistakes;
        long start = System.nanoTime();
        try (Evaluator evaluator = new Evaluator(job.network(), job.backend(), new CrossEntropyLoss())) {
            Loader loader = Loader.inOrder(test, Loading.EVALUATION_BATCH);
            evaluation = evaluator.evaluate(loader);
            mistakes = Pictures.showable(test.sampleShape())
                    ? mistakes(raw.test(), evaluator.probabilities(loader))
                    : List.of();
        }
        double testSeconds = (System.nanoTime() - start) * 1e-9;
        double seconds = metrics.stream().mapToDouble(Metrics::seconds).sum();
        if (Charts.drawable()) {
            Charts.curves(run.curves(), metrics);
            Charts.confusion(run.confusion(), evaluation.confusion(), config.classNames());
        } else {
            terminal.line(
                    "charts   left out: no fonts here, install fontconfig and a font; the report has them all the same");
        }
        new TrainingReport(
                        config.data() + ": " + modelName(),
                        DataChoice.summary(raw),
                        job.network().summary(),
                        job.network().parameterCount(),
                        config.classNames(),
                        metrics,
                        evaluation,
                        mistakes,
                        timing(seconds, testSeconds),
                        config.options(),
                        config.environment())
                .write(run.report());
        if (result.end() == TrainingResult.End.EARLY) {
            terminal.line("stopped early: the weights of epoch %d were the best", result.bestEpoch() + 1);
        }
        terminal.line("memory   %s", PeakMemory.text());
        if (!Double.isNaN(joules())) {
            terminal.line("energy   %s", energy());
        }
        terminal.line("trained in %.1f s (%s); report: %s", seconds, rate(), run.report());
        terminal.line("%s", Scores.accuracyLine(evaluation.confusion()));
    }

    private String modelName() {
        String model = job.config().options().get("--model");
        return model.length() > 24 ? "own model" : model;
    }

    private String rate() {
        double images = metrics.stream()
                .mapToDouble(m -> m.imagesPerSecond() * m.seconds())
                .sum();
        double seconds = metrics.stream().mapToDouble(Metrics::seconds).sum();
        return String.format(Locale.ROOT, "%,.0f images/s", images / seconds);
    }

    /** Of all epochs; NaN unless it was counted in each. */
    private double joules() {
        return metrics.stream().mapToDouble(Metrics::joules).sum();
    }

    private String energy() {
        return String.format(
                Locale.ROOT, "%,.1f J of the GPU in training, %,.1f J per epoch", joules(), joules() / metrics.size());
    }

    private Map<String, String> timing(double seconds, double testSeconds) {
        Map<String, String> timing = new LinkedHashMap<>();
        timing.put("training", Durations.text(seconds));
        timing.put("training rate", rate());
        timing.put("epochs", Integer.toString(metrics.size()));
        timing.put("steps", Long.toString(result.steps()));
        if (!Double.isNaN(joules())) {
            timing.put("energy", energy());
        }
        timing.put("test", Durations.text(testSeconds));
        timing.put(
                "memory of a step",
                String.format(Locale.ROOT, "%.1f MiB", result.highWaterMark() / (double) (1 << 20)));
        return timing;
    }

    /** The most confident wrong answers. */
    private List<Mistake> mistakes(Dataset pictures, double[][] probabilities) {
        List<Mistake> mistakes = new ArrayList<>();
        List<String> names = job.config().classNames();
        for (int index = 0; index < probabilities.length; index++) {
            double[] row = probabilities[index];
            int said = Ranking.of(row).getFirst();
            if (said != pictures.label(index)) {
                mistakes.add(new Mistake(
                        index,
                        pictures.sampleShape(),
                        null,
                        names.get(pictures.label(index)),
                        names.get(said),
                        row[said]));
            }
        }
        mistakes.sort(Comparator.comparingDouble(Mistake::confidence).reversed());
        return mistakes.stream()
                .limit(SHOWN_MISTAKES)
                .map(m -> m.withValues(values(pictures, m.index())))
                .toList();
    }

    private static float[] values(Dataset pictures, int index) {
        float[] values = new float[pictures.sampleLength()];
        pictures.read(index, values, 0);
        return values;
    }
}
