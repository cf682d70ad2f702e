package io.quern.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where public data sets lie: the option, or the variable {@code QUERN_DATA}. */
final class DataDirOption {
    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Folder with the public data sets, in mnist/ and cifar10/. Default: the variable QUERN_DATA.")
    private Path folder;

    /** The folder, or null when none is named. */
    Path orNull() {
        String variable = System.getenv("QUERN_DATA");
        return folder != null || variable == null || variable.isBlank() ? folder : Path.of(variable);
    }
}
