package io.quern.cli;

import io.quern.tensor.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** The most memory that a run has taken. */
final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private PeakMemory() {}

    /** For example {@code at most 143 MB, of which tensors 33 MB}. */
    static String text() {
        long process = process();
        String own = megabytes(Memory.hostPeakBytes());
        return process == 0 ? "tensors at most " + own : "at most " + megabytes(process) + ", of which tensors " + own;
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.0f MB", bytes * 1e-6);
    }

    /** Peak of the resident set in bytes, 0 where the system does not tell. Source: proc(5), VmHWM. */
    private static long process() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }
}
