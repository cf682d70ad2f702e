package io.quern.cli;

import java.nio.file.Path;
import picocli.CommandLine.Parameters;

/** The run folder that a command works on. */
final class RunParameter {
    @Parameters(index = "0", paramLabel = "RUN", description = "Folder of a finished run, as 'quern train' wrote it.")
    private Path path;

    Path path() {
        return path;
    }
}
