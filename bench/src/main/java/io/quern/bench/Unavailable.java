package io.quern.bench;

/** An implementation that cannot run here, with the reason and what to do. */
public final class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1;

    public Unavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
