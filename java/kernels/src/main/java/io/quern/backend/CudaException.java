package io.quern.backend;

import io.quern.tensor.QuernException;

/** The CUDA driver refused a call. The message holds the call, the driver's name and text of the error, and a remedy. */
public class CudaException extends QuernException {
    private static final long serialVersionUID = 1L;

    private final int code;

    public CudaException(int code, String message) {
        super(message);
        this.code = code;
    }

    /** The driver's CUresult. */
    public int code() {
        return code;
    }
}
