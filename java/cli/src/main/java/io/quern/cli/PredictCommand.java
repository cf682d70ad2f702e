package io.quern.cli;

import io.quern.data.Dataset;
import io.quern.data.Loader;
import io.quern.data.Normalized;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.Evaluator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Says what is on pictures. */
@Command(
        name = "predict",
        description = "Says what a trained network sees on PNG or JPEG images: the class and its probability, and the"
                + " runners-up. Images must have the size the network was trained on.",
        sortOptions = false,
        footerHeading = "%nExample%n",
        footer = "  quern predict runs/strokes-1 seven.png eight.png")
final class PredictCommand implements Callable<Integer> {
    private static final int SHOWN = 3;

    @ParentCommand
    private QuernCommand quern;

    @Mixin
    private RunParameter run;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "PNG or JPEG files.")
    private List<Path> images;

    @Mixin
    private BackendOptions backend;

    @Override
    public Integer call() {
        Terminal terminal = quern.terminal();
        try (TrainedRun trained = TrainedRun.open(run.path(), backend, terminal)) {
            Dataset pictures = PictureInput.read(images, trained);
            double[][] probabilities;
            try (Evaluator evaluator = new Evaluator(trained.network(), trained.backend(), new CrossEntropyLoss())) {
                Dataset normalized = Normalized.of(pictures, trained.config().normalization());
                probabilities = evaluator.probabilities(Loader.inOrder(normalized, Loading.EVALUATION_BATCH));
            }
            for (int i = 0; i < images.size(); i++) {
                terminal.line(
                        "%s: %s",
                        images.get(i), text(probabilities[i], trained.config().classNames()));
            }
            return ExitCode.DONE;
        }
    }

    /** For example {@code 7 99.81 % (1 0.12 %, 9 0.04 %)}. */
    private static String text(double[] probabilities, List<String> names) {
        List<String> parts = new ArrayList<>();
        for (int c : Ranking.of(probabilities).subList(0, Math.min(SHOWN, probabilities.length))) {
            parts.add(String.format(Locale.ROOT, "%s %.2f %%", names.get(c), 100 * probabilities[c]));
        }
        String others = String.join(", ", parts.subList(1, parts.size()));
        return parts.getFirst() + (others.isEmpty() ? "" : " (" + others + ")");
    }
}
