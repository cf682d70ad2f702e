package io.quern.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * Where a command writes.
 *
 * @param interactive a person watches: lines may be redrawn with carriage returns
 * @param width columns
 */
record Terminal(PrintWriter out, PrintWriter err, boolean interactive, int width) {
    private static final int USUAL_WIDTH = 100;

    /** The process's own streams. */
    static Terminal of(PrintWriter out, PrintWriter err) {
        Console console = System.console();
        String dumb = System.getenv().getOrDefault("TERM", "");
        return new Terminal(out, err, console != null && console.isTerminal() && !dumb.equals("dumb"), columns());
    }

    /** Files, pipes and tests. */
    static Terminal plain(PrintWriter out, PrintWriter err) {
        return new Terminal(out, err, false, USUAL_WIDTH);
    }

    private static int columns() {
        try {
            return Math.clamp(Integer.parseInt(System.getenv().getOrDefault("COLUMNS", "")), 60, 160);
        } catch (NumberFormatException e) {
            return USUAL_WIDTH;
        }
    }

    /** Writes one line to the standard output; numbers as in every country. */
    void line(String format, Object... values) {
        out.println(values.length == 0 ? format : String.format(Locale.ROOT, format, values));
        out.flush();
    }

    /** Writes one line to the standard error. */
    void note(String text) {
        out.flush();
        err.println(text);
        err.flush();
    }
}
