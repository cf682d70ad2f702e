package io.quern.cli.run;

import io.quern.data.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Files of UTF-8 text that are there in full or not at all. */
public final class TextFile {
    private TextFile() {}

    /** Writes or replaces a file. */
    public static void write(Path file, String text) {
        AtomicFiles.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
