package io.quern.cli;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.ArgumentException;
import picocli.CommandLine.Option;

/** What computes, and with how many threads. */
final class BackendOptions {
    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description =
                    "auto, cuda, vector, scalar, reference or cuda-sim (the simulated GPU, for tests); a named one"
                            + " never falls back. Default: auto, the best.")
    private String backend = "auto";

    private static final int MAX_THREADS = 1024;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of the computation. Default: one per processor. The result does not depend on it.")
    private int threads = Runtime.getRuntime().availableProcessors();

    int threads() {
        if (threads < 1 || threads > MAX_THREADS) {
            throw new UsageException("--threads is " + threads + ", expected 1 to " + MAX_THREADS);
        }
        return threads;
    }

    /** Opens the backend and says which and why; close it. */
    Backend open(Terminal terminal) {
        try {
            Backend opened = Backends.of(backend, threads());
            String reason = backend.equals("auto") ? "the best that is available here" : "as --backend says";
            terminal.line("backend  %s: %s (%s)", opened.name(), opened.description(), reason);
            return opened;
        } catch (ArgumentException e) {
            throw new UsageException("--backend: " + e.getMessage(), e);
        }
    }
}
