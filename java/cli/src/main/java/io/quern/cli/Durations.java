package io.quern.cli;

import java.util.Locale;

/** Times for people. */
final class Durations {
    private Durations() {}

    /** For example {@code 4.2 s}, {@code 3:07 min}, {@code 1:02:09 h}. */
    static String text(double seconds) {
        if (seconds < 100) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        return whole < 3600
                ? String.format(Locale.ROOT, "%d:%02d min", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d h", whole / 3600, whole / 60 % 60, whole % 60);
    }
}
