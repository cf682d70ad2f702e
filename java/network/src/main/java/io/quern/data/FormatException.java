package io.quern.data;

import io.quern.tensor.QuernException;

/**
 * Bytes that are not what they should be: truncated, corrupt, oversized or of another format.
 *
 * <p>The only exception that a parser of this package throws for the contents of a file.
 */
public final class FormatException extends QuernException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final String position;
    private final String problem;
    private final String remedy;

    /**
     * @param file the file, as the user named it; entries of archives as {@code archive!entry}
     * @param position for example {@code byte 16} or {@code line 3, column 'age'}; empty for the whole file
     * @param problem what is wrong, with found and expected values
     * @param remedy what to do about it
     */
    public FormatException(String file, String position, String problem, String remedy) {
        this(file, position, problem, remedy, null);
    }

    public FormatException(String file, String position, String problem, String remedy, Throwable cause) {
        super(file + (position.isEmpty() ? "" : ", " + position) + ": " + problem + "; " + remedy, cause);
        this.file = file;
        this.position = position;
        this.problem = problem;
        this.remedy = remedy;
    }

    public String file() {
        return file;
    }

    /** Byte, line or column; empty when the file as a whole is meant. */
    public String position() {
        return position;
    }

    public String problem() {
        return problem;
    }

    public String remedy() {
        return remedy;
    }
}
