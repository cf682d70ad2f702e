package io.quern.cli;

import java.util.List;
import picocli.CommandLine;
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
        addMethodSubcommands = false,
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
    private static final List<String> COMMANDS = List.of("train", "evaluate", "predict", "explain", "doctor");

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

    /** With the command that is called, and with all of them where that is not clear: each costs time at every start. */
    static CommandLine line(Terminal terminal, String[] args) {
        CommandLine quern = new CommandLine(new QuernCommand(terminal));
        List<String> wanted = args.length > 0 && COMMANDS.contains(args[0]) ? List.of(args[0]) : COMMANDS;
        wanted.forEach(name -> quern.addSubcommand(name, command(name)));
        return quern;
    }

    private static Object command(String name) {
        return switch (name) {
            case "train" -> new TrainCommand();
            case "evaluate" -> new EvaluateCommand();
            case "predict" -> new PredictCommand();
            case "explain" -> new ExplainCommand();
            case "doctor" -> new DoctorCommand();
            default -> throw new IllegalArgumentException(name);
        };
    }

    Terminal terminal() {
        return terminal;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: say what to do, for example 'quern train'");
    }
}
