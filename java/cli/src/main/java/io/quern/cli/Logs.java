package io.quern.cli;

/** The libraries' warnings, on one line each like the errors of the command line. */
final class Logs {
    private static final String FORMAT = "quern: %4$s: %5$s%n";

    private Logs() {}

    /** Takes effect for whichever of the JDK's two loggers is there; a user's own setting stays. */
    static void onOneLine() {
        for (String property : new String[] {"java.util.logging.SimpleFormatter.format", "jdk.system.logger.format"}) {
            if (System.getProperty(property) == null) {
                System.setProperty(property, FORMAT);
            }
        }
    }
}
