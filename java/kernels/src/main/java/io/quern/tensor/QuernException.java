package io.quern.tensor;

/** Root of all exceptions that Quern throws. The message names what was wrong, where, and what to do. */
public class QuernException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QuernException(String message) {
        super(message);
    }

    public QuernException(String message, Throwable cause) {
        super(message, cause);
    }
}
