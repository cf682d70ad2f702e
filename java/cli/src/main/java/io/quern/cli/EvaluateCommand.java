package io.quern.cli;

import io.quern.cli.run.DataFacts;
import io.quern.data.Dataset;
import io.quern.data.Loader;
import io.quern.data.Normalized;
import io.quern.data.Split;
import io.quern.tensor.QuernException;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.Evaluation;
import io.quern.train.Evaluator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Measures a trained network on the test part of a data set. */
@Command(
        name = "evaluate",
        addMethodSubcommands = false,
        description = "Measures a trained network on the test part of a data set: accuracy, loss, precision, recall and"
                + " F1 of each class, AUROC, confusion matrix.",
        sortOptions = false,
        footerHeading = "%nExamples%n",
        footer = {"  quern evaluate runs/strokes-1", "  quern evaluate runs/mnist --data mnist --data-dir ~/data"})
final class EvaluateCommand implements Callable<Integer> {
    @ParentCommand
    private QuernCommand quern;

    @Mixin
    private RunParameter run;

    @Option(
            names = "--data",
            paramLabel = "SOURCE",
            description = "Data set as for 'quern train'. Default: the one the run was trained on.")
    private String source;

    @Mixin
    private DataDirOption dataDir;

    @Mixin
    private BackendOptions backend;

    @Override
    public Integer call() {
        Terminal terminal = quern.terminal();
        DataChoice data = source == null ? null : DataChoice.of(source);
        try (TrainedRun trained = TrainedRun.open(run.path(), backend, terminal)) {
            DataFacts facts = trained.config().facts();
            Recipe recipe = Recipe.resumed(trained.config().options(), Map.of());
            DataChoice chosen =
                    data != null ? data : DataChoice.of(trained.config().data());
            Split split =
                    chosen.load(recipe.options(), facts.folderOr(dataDir.orNull()), backend.threads(), facts.schema());
            Dataset test = split.test();
            requireFit(trained, test);
            terminal.line("data     %s", DataChoice.summary(split));
            Evaluation result;
            try (Evaluator evaluator = new Evaluator(trained.network(), trained.backend(), new CrossEntropyLoss())) {
                Dataset normalized = Normalized.of(test, trained.config().normalization());
                result = evaluator.evaluate(Loader.inOrder(normalized, Loading.EVALUATION_BATCH));
            }
            print(terminal, result, test.classNames());
            return ExitCode.DONE;
        }
    }

    private static void requireFit(TrainedRun trained, Dataset test) {
        if (!test.sampleShape().equals(trained.config().inputShape())) {
            throw new QuernException("the data have samples of " + test.sampleShape() + ", the model of "
                    + trained.folder().path() + " takes " + trained.config().inputShape()
                    + "; evaluate on data of the kind it was trained on");
        }
        if (!test.classNames().equals(trained.config().classNames())) {
            throw new QuernException("the data have the classes " + brief(test.classNames()) + ", the model of "
                    + trained.folder().path() + " knows "
                    + brief(trained.config().classNames())
                    + "; evaluate on data of the kind it was trained on");
        }
    }

    private static String brief(List<String> names) {
        return names.size() <= 10 ? String.join(", ", names) : names.size() + " names from " + names.getFirst();
    }

    private static void print(Terminal terminal, Evaluation result, List<String> names) {
        terminal.line("");
        terminal.line("%s", Scores.byClass(result, names));
        terminal.line("%s", Scores.confusion(result.confusion(), names));
        terminal.line("loss %.4f, AUROC %.4f", result.loss(), result.auroc());
        terminal.line("%s", Scores.accuracyLine(result.confusion()));
    }
}
