package io.quern.tensor;

/** An argument does not fit: wrong shape, dtype, range or overlap. Nothing was computed or changed. */
public final class ArgumentException extends QuernException {
    private static final long serialVersionUID = 1L;

    public ArgumentException(String message) {
        super(message);
    }
}
