package io.quern.backend.ffi;

import java.util.Set;

/** What a CUresult means for the device. */
public enum DriverError {
    /** No error. */
    NONE,
    /** Not enough memory: the device is intact. */
    MEMORY,
    /** This machine or driver cannot run Quern's kernels; nothing was started. */
    ENVIRONMENT,
    /** The context is corrupt and stays so until the process ends. */
    STICKY,
    /** A call that should not have been made like this: the device is intact. */
    CALL;

    public static final int OUT_OF_MEMORY = 2;
    public static final int NO_DEVICE = 100;
    public static final int NO_BINARY = 209;
    public static final int UNSUPPORTED_PTX = 222;
    public static final int NOT_FOUND = 500;

    /** Stub library, newer driver needed, device unavailable or none, no binary, PTX too new, mismatched driver. */
    private static final Set<Integer> OF_THE_ENVIRONMENT =
            Set.of(34, 36, 46, NO_DEVICE, 101, 102, 200, NO_BINARY, 218, 221, UNSUPPORTED_PTX, 223, 802, 803, 804);

    /** ECC, NVLink, contained, illegal address, timeout, destroyed, assert, hardware, instruction, alignment, PC, unknown. */
    private static final Set<Integer> OF_THE_CONTEXT =
            Set.of(4, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999);

    public static DriverError of(int code) {
        if (code == 0) {
            return NONE;
        }
        if (code == OUT_OF_MEMORY) {
            return MEMORY;
        }
        if (OF_THE_CONTEXT.contains(code)) {
            return STICKY;
        }
        return OF_THE_ENVIRONMENT.contains(code) ? ENVIRONMENT : CALL;
    }
}
