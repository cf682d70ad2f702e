package io.quern.cli;

import io.quern.tensor.QuernException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Arrays;
import picocli.CommandLine;

/** Turns what went wrong into one line on the standard error and an exit code; {@code --debug} adds the stack trace. */
final class Errors implements CommandLine.IParameterExceptionHandler, CommandLine.IExecutionExceptionHandler {
    private final Terminal terminal;
    private final boolean debug;

    Errors(Terminal terminal, String[] args) {
        this.terminal = terminal;
        this.debug = Arrays.asList(args).contains("--debug");
    }

    @Override
    public int handleParseException(CommandLine.ParameterException e, String[] args) {
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        String suggestion = e instanceof CommandLine.UnmatchedArgumentException unmatched
                        && !unmatched.getSuggestions().isEmpty()
                ? "; did you mean " + unmatched.getSuggestions().getFirst() + "?"
                : "";
        report(e, e.getMessage() + suggestion + " (" + command + " --help lists what there is)");
        return ExitCode.USAGE;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
        report(e, message(e));
        return e instanceof UsageException ? ExitCode.USAGE : ExitCode.FAILED;
    }

    int outOfMemory(OutOfMemoryError e) {
        report(
                e,
                "the memory is not enough (" + e.getMessage() + "); lower --batch or --limit, or give the JVM more with"
                        + " QUERN_JAVA_OPTS=-Xmx8g");
        return ExitCode.FAILED;
    }

    private void report(Throwable e, String message) {
        terminal.note("quern: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
        if (debug) {
            e.printStackTrace(terminal.err());
            terminal.err().flush();
        }
    }

    private static String message(Throwable e) {
        return switch (e) {
            case UsageException usage -> usage.getMessage();
            case QuernException known -> known.getMessage();
            case UncheckedIOException wrapped -> message(wrapped.getCause());
            case FileSystemException file -> file.getFile() + ": " + reason(file);
            case IOException io -> "reading or writing failed: " + described(io) + "; check the file and the disk";
            default ->
                "internal error, " + described(e) + "; this is a bug in quern: run again with --debug and report"
                        + " what it prints";
        };
    }

    private static String reason(FileSystemException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such file or folder; check the path";
            case AccessDeniedException denied -> "access denied; check the permissions";
            case NotDirectoryException file -> "this is no folder; name a folder";
            case FileAlreadyExistsException exists -> "this exists already; name another path";
            default -> (e.getReason() == null ? described(e) : e.getReason()) + "; check the path and the disk";
        };
    }

    private static String described(Throwable e) {
        return e.getClass().getSimpleName() + (e.getMessage() == null ? "" : ": " + e.getMessage());
    }
}
