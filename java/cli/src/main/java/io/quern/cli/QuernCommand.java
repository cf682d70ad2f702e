package io.quern.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code quern} itself: what all commands share. */
@Command(
        name = "quern",
        header = "Trains, evaluates and explains neural networks on the JVM.",
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = Versions.class,
        sortOptions = false,
        subcommands = {
            TrainCommand.class,
            EvaluateCommand.class,
            PredictCommand.class,
            ExplainCommand.class,
            DoctorCommand.class
        },
        footerHeading = "%nFirst steps:%n",
        footer = {
            "  quern train                              learn to read digits; needs no data",
            "  quern train --data mnist --data-dir DIR  the same on real handwriting",
            "  quern evaluate runs/strokes-1            accuracy and errors of each class",
            "  quern predict runs/strokes-1 seven.png   what is on a picture",
            "  quern explain runs/strokes-1 seven.png --report why.html",
            "  quern doctor                             what this machine offers",
            "",
            "A run folder holds the weights, the options, all figures and report.html.",
            "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped with Ctrl-C."
        })
final class QuernCommand implements Runnable {
    private final Terminal terminal;

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the versions of quern and Java.")
    private boolean version;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    private boolean debug;

    QuernCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    Terminal terminal() {
        return terminal;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: say what to do, for example 'quern train'");
    }
}
