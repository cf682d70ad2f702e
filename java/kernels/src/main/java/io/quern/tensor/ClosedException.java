package io.quern.tensor;

/** Memory was used after it was closed, or after its workspace was reset. */
public final class ClosedException extends QuernException {
    private static final long serialVersionUID = 1L;

    public ClosedException(String message) {
        super(message);
    }
}
