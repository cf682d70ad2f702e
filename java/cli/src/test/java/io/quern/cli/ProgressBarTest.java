package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    private static final long SECOND = 1_000_000_000L;
    private static final ProgressBar.State HALF = new ProgressBar.State(2, 3, 0.5, 0.25, 0.875, 1234.4, 61);

    private final StringWriter written = new StringWriter();
    private final PrintWriter out = new PrintWriter(written);

    @Test
    void redrawsOneLineForAPerson() {
        ProgressBar bar = new ProgressBar(new Terminal(out, out, true, 100), 0);
        bar.show(HALF, SECOND);
        assertEquals(
                "\repoch 2/3  ████████████░░░░░░░░░░░░  loss 0.2500  accuracy 87.5 %  1,234 images/s  61.0 s left",
                written.toString());
        bar.show(HALF, SECOND + 1);
        assertEquals(1, written.toString().split("\r", -1).length - 1, "not again at once");
        bar.finish("done");
        assertTrue(written.toString().endsWith(" \rdone" + System.lineSeparator()), "the bar is wiped out");
    }

    @Test
    void neverWrapsTheLine() {
        ProgressBar bar = new ProgressBar(new Terminal(out, out, true, 60), 0);
        bar.show(HALF, SECOND);
        assertEquals(60, written.toString().length(), "59 columns after the carriage return");
    }

    @Test
    void writesPlainLinesNowAndThenToAFile() {
        ProgressBar bar = new ProgressBar(Terminal.plain(out, out), 0);
        bar.show(HALF, 29 * SECOND);
        assertEquals("", written.toString());
        bar.show(HALF, 31 * SECOND);
        assertTrue(written.toString().startsWith("epoch 2/3   50 %  loss 0.2500"), written.toString());
        assertFalse(written.toString().contains("\r"));
    }

    @Test
    void fillsByEighths() {
        assertEquals("░".repeat(24), ProgressBar.bar(0));
        assertEquals("▏" + "░".repeat(23), ProgressBar.bar(1 / 192.0));
        assertEquals("█".repeat(24), ProgressBar.bar(1));
    }

    @Test
    void timesForPeople() {
        assertEquals("4.2 s", Durations.text(4.21));
        assertEquals("3:07 min", Durations.text(187));
        assertEquals("1:02:09 h", Durations.text(3729));
    }
}
