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
import java.util.function.IntFunction;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Says what is on pictures, and in rows of tables. */
@Command(
        name = "predict",
        addMethodSubcommands = false,
        description =
                "Says what a trained network sees on PNG or JPEG images, or in the rows of CSV files if it learned from"
                        + " a table: the class and its probability, and the runners-up. Images must have the size the network was"
                        + " trained on, tables the same columns; the target may be missing.",
        sortOptions = false,
        footerHeading = "%nExample%n",
        footer = "  quern predict runs/strokes-1 seven.png eight.png")
final class PredictCommand implements Callable<Integer> {
    private static final int SHOWN = 3;
    private static final Predicate<Path> IMAGE =
            file -> file.toString().toLowerCase(Locale.ROOT).matches(".*\\.(png|jpe?g)");

    @ParentCommand
    private QuernCommand quern;

    @Mixin
    private RunParameter run;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "PNG or JPEG files, or CSV files.")
    private List<Path> files;

    @Mixin
    private BackendOptions backend;

    @Override
    public Integer call() {
        Terminal terminal = quern.terminal();
        try (TrainedRun trained = TrainedRun.open(run.path(), backend, terminal)) {
            boolean pictures =
                    trained.config().facts().schema() == null || files.stream().anyMatch(IMAGE);
            if (pictures) {
                print(
                        trained,
                        PictureInput.read(files, trained),
                        i -> files.get(i).toString());
                return ExitCode.DONE;
            }
            DataChoice table = DataChoice.of(trained.config().data());
            List<Dataset> tables = new ArrayList<>();
            for (Path file : files) {
                tables.add(table.source().inputs(file, trained.config().facts().schema()));
            }
            for (int i = 0; i < files.size(); i++) {
                Path file = files.get(i);
                print(trained, tables.get(i), row -> file + ", row " + (row + 1));
            }
            return ExitCode.DONE;
        }
    }

    private void print(TrainedRun trained, Dataset samples, IntFunction<String> name) {
        double[][] probabilities;
        try (Evaluator evaluator = new Evaluator(trained.network(), trained.backend(), new CrossEntropyLoss())) {
            Dataset normalized = Normalized.of(samples, trained.config().normalization());
            probabilities = evaluator.probabilities(Loader.inOrder(normalized, Loading.EVALUATION_BATCH));
        }
        for (int i = 0; i < probabilities.length; i++) {
            String said = text(probabilities[i], trained.config().classNames());
            quern.terminal().line("%s: %s", name.apply(i), said);
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
