package io.quern.cli;

import java.util.Locale;

/**
 * The state of the current epoch on one line: redrawn in place for a person, a line now and then for a file.
 *
 * <p>Driven by the clock it is given, in nanoseconds, so that tests need not wait.
 */
final class ProgressBar {
    private static final long REDRAW = 100_000_000L;
    private static final long PLAIN_LINE = 30_000_000_000L;
    private static final int CELLS = 24;
    private static final String[] PARTS = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

    /**
     * What is shown.
     *
     * @param epoch from 1
     * @param share of the epoch, 0..1
     * @param loss running mean of this epoch
     * @param accuracy running mean of this epoch, NaN when unknown
     * @param imagesPerSecond of this epoch
     * @param secondsLeft of all epochs
     */
    record State(
            int epoch,
            int epochs,
            double share,
            double loss,
            double accuracy,
            double imagesPerSecond,
            double secondsLeft) {}

    private final Terminal terminal;
    private long last;
    private int drawn;

    ProgressBar(Terminal terminal, long now) {
        this.terminal = terminal;
        this.last = now;
    }

    /** Shows the state if it is time to. */
    void show(State state, long now) {
        if (now - last < (terminal.interactive() ? REDRAW : PLAIN_LINE)) {
            return;
        }
        last = now;
        if (terminal.interactive()) {
            draw(line(state, bar(state.share)));
        } else {
            terminal.line(line(state, String.format(Locale.ROOT, "%3.0f %%", 100 * state.share))
                    .stripTrailing());
        }
    }

    /** Replaces the bar by a line that stays. */
    void finish(String line) {
        if (drawn > 0) {
            draw("");
            terminal.out().print('\r');
            drawn = 0;
        }
        terminal.line("%s", line);
    }

    private void draw(String line) {
        String cut = line.length() >= terminal.width() ? line.substring(0, terminal.width() - 1) : line;
        terminal.out().print("\r" + cut + " ".repeat(Math.max(0, drawn - cut.length())));
        terminal.out().flush();
        drawn = cut.length();
    }

    private static String line(State state, String bar) {
        return String.format(
                Locale.ROOT,
                "epoch %d/%d  %s  loss %.4f%s  %,.0f images/s  %s left",
                state.epoch,
                state.epochs,
                bar,
                state.loss,
                Double.isNaN(state.accuracy)
                        ? ""
                        : String.format(Locale.ROOT, "  accuracy %.1f %%", 100 * state.accuracy),
                state.imagesPerSecond,
                Durations.text(state.secondsLeft));
    }

    /** Filled to an eighth of a cell. */
    static String bar(double share) {
        int eighths = (int) Math.round(Math.clamp(share, 0, 1) * CELLS * 8);
        String filled = "█".repeat(eighths / 8) + PARTS[eighths % 8];
        return filled + "░".repeat(CELLS - filled.length());
    }
}
