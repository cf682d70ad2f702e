package io.quern.cli;

import io.quern.backend.Backend;
import io.quern.backend.EnergyMeter;
import io.quern.cli.run.DataFacts;
import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.data.CsvSchema;
import io.quern.data.Fingerprint;
import io.quern.data.Normalization;
import io.quern.data.Split;
import io.quern.nn.Network;
import io.quern.nn.Sequential;
import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.train.CheckpointFolder;
import io.quern.train.Trainer;
import io.quern.train.TrainingOptions;
import io.quern.train.TrainingResult;
import io.quern.train.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Trains a network and writes a run folder. */
@Command(
        name = "train",
        addMethodSubcommands = false,
        description = {
            "Trains a network and writes a run folder with weights, figures and report.html.",
            "Without options: a small convolutional network on drawn digits, done in less than a minute.",
            "What is not given depends on data and model, and is printed into RUN/config.json."
        },
        sortOptions = false,
        customSynopsis = "quern train [OPTIONS]",
        optionListHeading = "%nRun%n",
        footerHeading = "%nExamples%n",
        footer = {
            "  quern train",
            "  quern train --data mnist --data-dir ~/data --out runs/mnist",
            "  quern train --data cifar10 --epochs 3 --checkpoint-every 60s",
            "  quern train --data images:photos/ --model resnet20 --augment",
            "  quern train --data csv:table.csv,target=label --early-stopping 5",
            "  quern train --model \"flatten dense(64) relu dense(10)\" --limit 2000",
            "  quern train --out runs/mnist --resume"
        })
final class TrainCommand implements Callable<Integer> {
    private static final int KEPT_CHECKPOINTS = 2;

    @ParentCommand
    private QuernCommand quern;

    @Spec
    private CommandSpec spec;

    @Mixin(name = Recipe.MIXIN)
    private TrainOptions options;

    @Option(
            names = "--out",
            paramLabel = "RUN",
            description = "Run folder, new or empty. Default: the next free runs/DATA-NUMBER.")
    private Path out;

    @Option(
            names = "--resume",
            description = "Continue the run in --out from its last checkpoint, with the options it was started with.")
    private boolean resume;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "N|Ns",
            converter = CheckpointInterval.Converter.class,
            description = "Save the state every N batches or N seconds, besides after each epoch. Default: 30s.")
    private CheckpointInterval interval = new CheckpointInterval(0, 30);

    @Mixin
    private DataDirOption dataDir;

    @Mixin
    private BackendOptions backendOptions;

    @Override
    public Integer call() {
        Map<String, String> given = Recipe.given(spec.commandLine().getParseResult());
        if (resume && out == null) {
            throw new UsageException(
                    "--resume continues the run in --out: name its folder, for example --out runs/mnist");
        }
        RunConfig before = resume ? RunConfig.read(RunFolder.open(out).config()) : null;
        Recipe recipe = resume ? Recipe.resumed(before.options(), given) : Recipe.of(given);
        ModelChoice.check(recipe.options().model());
        TrainingOptions fit = FitOptions.of(recipe.options());
        DataChoice data = DataChoice.of(recipe.options().data().source);
        Loading loading = Loading.of(recipe.options(), data);
        RunFolder run = resume
                ? RunFolder.open(out)
                : RunFolder.unused(out != null ? out : RunFolder.next(Path.of("runs"), data.kind()));
        Terminal terminal = quern.terminal();
        try (Backend backend = backendOptions.open(terminal)) {
            int threads = backendOptions.threads();
            Path folder = before != null ? before.facts().folderOr(dataDir.orNull()) : dataDir.orNull();
            Split raw = data.load(recipe.options(), folder, threads);
            terminal.line("data     %s", DataChoice.summary(raw));
            DataFacts facts = new DataFacts(Fingerprint.of(raw, threads), folder, CsvSchema.of(raw.train()));
            if (before != null) {
                before.facts().requireSame(facts.fingerprint(), out);
            }
            Normalization normalization =
                    before != null ? before.normalization() : Normalization.learn(raw.train(), threads);
            Split split = raw.normalized(normalization);
            Sequential model = ModelChoice.of(recipe.options().model(), split.train());
            try (Network network = Network.build(
                    model, split.train().sampleShape(), Rng.of(fit.seed()), DType.F32, backend.memory())) {
                terminal.line(
                        "model    %s", ModelChoice.summary(recipe.options().model(), network));
                RunConfig config = new RunConfig(
                        network.describe(),
                        network.inputShape(),
                        split.train().classNames(),
                        normalization,
                        facts,
                        recipe.texts(),
                        Environment.of(backend));
                run.create();
                config.write(run.config());
                return train(new Job(run, config, network, backend, fit), loading, raw, split);
            }
        }
    }

    private int train(Job job, Loading loading, Split raw, Split split) {
        Terminal terminal = quern.terminal();
        RunFolder run = job.run();
        try (Trainer trainer = new Trainer(job.network(), job.backend(), job.fit());
                Interrupt _ = new Interrupt(trainer::stop)) {
            if (resume) {
                resume(run, trainer);
            }
            TrainingProgress progress;
            TrainingResult result;
            Optional<EnergyMeter> energy = job.backend().energy();
            try {
                progress = new TrainingProgress(
                        terminal, run, interval, job.fit().epochs(), resume ? run.readMetrics() : List.of(), energy);
                trainer.listen(progress);
                trainer.checkpoints(new CheckpointFolder(run.checkpoints(), KEPT_CHECKPOINTS), interval.batches());
                result = trainer.fit(loading.training(split), loading.validation(split));
            } finally {
                energy.ifPresent(EnergyMeter::close);
            }
            if (result.end() == TrainingResult.End.STOPPED) {
                progress.interrupted("stopped; continue with: quern train --out " + run.path() + " --resume");
                return ExitCode.INTERRUPTED;
            }
            Weights.save(job.network(), run.model());
            new TrainingOutcome(terminal, job, result, progress.metrics()).write(raw, split.test());
            return ExitCode.DONE;
        }
    }

    private void resume(RunFolder run, Trainer trainer) {
        CheckpointFolder checkpoints = new CheckpointFolder(run.checkpoints());
        checkpoints
                .latest()
                .ifPresentOrElse(
                        file -> {
                            trainer.resume(file);
                            quern.terminal().line("resume   from %s", file);
                        },
                        () -> {
                            if (!checkpoints.newestFirst().isEmpty()) {
                                throw new QuernException(run.checkpoints()
                                        + ": no checkpoint is intact; delete this folder to train from the start");
                            }
                            quern.terminal().line("resume   there is no checkpoint yet: from the start");
                        });
    }
}
