package io.quern.backend;

/** The device has no memory left, also after its caches were freed. The device stays usable. */
public final class DeviceMemoryException extends CudaException {
    private static final long serialVersionUID = 1L;

    public DeviceMemoryException(int code, String message) {
        super(code, message);
    }
}
