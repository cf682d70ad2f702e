package io.quern.backend;

/** There is no usable GPU here: no driver, an old one, no device, or no kernels for it. Other backends are not touched. */
public final class DeviceUnavailableException extends CudaException {
    private static final long serialVersionUID = 1L;

    public DeviceUnavailableException(int code, String message) {
        super(code, message);
    }
}
