package io.quern.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** The entry point of {@code quern}. */
public final class Main {
    private Main() {}

    /** Runs one command and ends the JVM with its exit code. */
    public static void main(String[] args) {
        PrintWriter out = utf8(FileDescriptor.out);
        PrintWriter err = utf8(FileDescriptor.err);
        int code = run(args, Terminal.of(out, err));
        out.flush();
        err.flush();
        System.exit(code);
    }

    /** Runs one command in this JVM, writing plain lines; returns the exit code (see {@link ExitCode}). */
    public static int run(String[] args, PrintWriter out, PrintWriter err) {
        return run(args, Terminal.plain(out, err));
    }

    static int run(String[] args, Terminal terminal) {
        Logs.onOneLine();
        // charts and images are drawn in memory, on machines without a display too
        System.setProperty("java.awt.headless", "true");
        CommandLine commands = QuernCommand.line(terminal, args);
        Errors errors = new Errors(terminal, args);
        try {
            return execute(commands, terminal, errors, args);
        } catch (OutOfMemoryError e) {
            return errors.outOfMemory(e);
        }
    }

    private static int execute(CommandLine commands, Terminal terminal, Errors errors, String[] args) {
        return commands.setOut(terminal.out())
                .setErr(terminal.err())
                .setUsageHelpWidth(terminal.width())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .setParameterExceptionHandler(errors)
                .setExecutionExceptionHandler(errors)
                .execute(args);
    }

    private static PrintWriter utf8(FileDescriptor descriptor) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8), true);
    }
}
