package io.quern.cli;

/** What the exit codes mean; they are part of the interface. */
final class ExitCode {
    /** The work is done. */
    static final int DONE = 0;

    /** The work failed: wrong or missing input, a full disk, a bug. */
    static final int FAILED = 1;

    /** The command line is wrong: nothing was done. */
    static final int USAGE = 2;

    /** Stopped by SIGINT (Ctrl-C), 128 + 2 as shells have it. */
    static final int INTERRUPTED = 130;

    private ExitCode() {}
}
