package io.quern.cli;

import io.quern.cli.report.ExplanationReport;
import io.quern.cli.run.RunConfig;
import io.quern.data.Dataset;
import io.quern.data.Loader;
import io.quern.data.Normalized;
import io.quern.tensor.QuernException;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.Evaluator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Shows which pixels of a picture speak for and against a class. */
@Command(
        name = "explain",
        addMethodSubcommands = false,
        description = "Shows which pixels of an image speak for and against a class, and how well the parts add up to"
                + " the whole.",
        sortOptions = false,
        footerHeading = "%nExample%n",
        footer = "  quern explain runs/strokes-1 seven.png --method integrated-gradients --report why.html")
final class ExplainCommand implements Callable<Integer> {
    private static final int MAX_STEPS = 100_000;

    @ParentCommand
    private QuernCommand quern;

    @Mixin
    private RunParameter run;

    @Parameters(index = "1", paramLabel = "IMAGE", description = "A PNG or JPEG file.")
    private Path image;

    @Option(
            names = "--method",
            paramLabel = "NAME",
            description = "integrated-gradients (default), whose parts add up to the score, or saliency, the gradient.")
    private String method = "integrated-gradients";

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Steps of integrated-gradients along the way from the baseline. Default: 64.")
    private int steps = 64;

    @Option(names = "--target", paramLabel = "CLASS", description = "Class to explain. Default: the predicted one.")
    private String target;

    @Option(
            names = "--baseline",
            paramLabel = "NAME",
            description = "What integrated-gradients compares with: black (default), or mean, the average colour.")
    private String baseline = "black";

    @Option(names = "--report", paramLabel = "FILE", description = "HTML page with image, heat map and figures.")
    private Path report;

    @Mixin
    private BackendOptions backend;

    @Override
    public Integer call() {
        if (steps < 1 || steps > MAX_STEPS) {
            throw new UsageException("--steps is " + steps + ", expected 1 to " + MAX_STEPS);
        }
        if (report != null && !Files.isDirectory(report.toAbsolutePath().getParent())) {
            throw new QuernException("the folder of --report " + report + " does not exist; make it, or name another");
        }
        Explainer explainer = Explainer.of(method, steps, baseline);
        Terminal terminal = quern.terminal();
        try (TrainedRun trained = TrainedRun.open(run.path(), backend, terminal)) {
            RunConfig config = trained.config();
            Dataset picture = PictureInput.read(List.of(image), trained);
            Dataset normalized = Normalized.of(picture, config.normalization());
            double[] probabilities;
            try (Evaluator evaluator = new Evaluator(trained.network(), trained.backend(), new CrossEntropyLoss())) {
                probabilities = evaluator.probabilities(Loader.inOrder(normalized, 1))[0];
            }
            int said = Ranking.of(probabilities).getFirst();
            int explained = target == null ? said : target(config.classNames());
            terminal.line(
                    "prediction %s (probability %.2f %%)", config.classNames().get(said), 100 * probabilities[said]);
            Explainer.Explanation explanation = explainer.explain(trained, sample(normalized), explained);
            explanation
                    .lines(config.classNames().get(explained))
                    .forEach((name, value) -> terminal.line("%s %s", name, value));
            if (report != null) {
                write(config, sample(picture), explanation, explained, probabilities);
                terminal.line("report %s", report);
            }
            return ExitCode.DONE;
        }
    }

    private int target(List<String> names) {
        int index = names.indexOf(target);
        if (index < 0) {
            throw new UsageException(
                    "--target " + target + " is no class of this run; its classes are " + String.join(", ", names));
        }
        return index;
    }

    private static float[] sample(Dataset data) {
        float[] values = new float[data.sampleLength()];
        data.read(0, values, 0);
        return values;
    }

    private void write(
            RunConfig config,
            float[] values,
            Explainer.Explanation explanation,
            int explained,
            double[] probabilities) {
        List<String> names = config.classNames();
        List<Map.Entry<String, Double>> predictions = Ranking.of(probabilities).stream()
                .map(c -> Map.entry(names.get(c), probabilities[c]))
                .toList();
        Map<String, String> facts = new LinkedHashMap<>(explanation.lines(names.get(explained)));
        facts.put("run", run.path().toString());
        new ExplanationReport(
                        image.getFileName().toString(),
                        explanation.description(),
                        names.get(explained),
                        config.inputShape(),
                        values,
                        explanation.perPixel(),
                        predictions,
                        facts)
                .write(report);
    }
}
