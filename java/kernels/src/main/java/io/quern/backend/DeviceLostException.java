package io.quern.backend;

/**
 * A kernel or the hardware failed and took the device's context with it: all its memory is lost, and this process cannot
 * use the device again. Every later call on it fails at once with the first cause.
 */
public final class DeviceLostException extends CudaException {
    private static final long serialVersionUID = 1L;

    public DeviceLostException(int code, String message) {
        super(code, message);
    }
}
