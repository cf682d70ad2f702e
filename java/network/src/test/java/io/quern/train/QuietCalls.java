package io.quern.train;

import java.util.Set;

/** Driver calls whose failure a training need not report, and why; all others must end in an exception. */
final class QuietCalls {
    /** The exported name of the function serves as well as what cuGetProcAddress would have found. */
    private static final String LOOK_UP = "cuGetProcAddress";

    /**
     * They give something back, and have done so when they fail. Nobody can do anything about it, an exception would hide
     * the one that is under way, and close() of an intact device has nothing to say.
     */
    private static final Set<String> RELEASES = Set.of(
            "cuMemFreeAsync",
            "cuMemFreeHost",
            "cuEventDestroy",
            "cuLibraryUnload",
            "cuStreamDestroy",
            "cuDevicePrimaryCtxRelease",
            "cuGraphDestroy",
            "cuGraphExecDestroy");

    /** Waits and a trim before memory is given back; before that, their failure means results that may be wrong. */
    private static final Set<String> BEFORE_RELEASES =
            Set.of("cuStreamSynchronize", "cuEventSynchronize", "cuMemPoolTrimTo");

    /** Is asked again after the caches were freed, when the error says that there is no memory. */
    private static final String RETRIED = "cuMemAllocFromPoolAsync";

    private static final String NO_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY";

    private QuietCalls() {}

    /**
     * @param sticky true for an error after which the device is lost: whatever follows it must fail
     * @param closing true when the call came after all work was done
     */
    static boolean may(String call, String error, boolean sticky, boolean closing) {
        if (call.equals(LOOK_UP)) {
            return true;
        }
        if (closing) {
            return RELEASES.contains(call) || BEFORE_RELEASES.contains(call);
        }
        return !sticky && (RELEASES.contains(call) || call.equals(RETRIED) && error.equals(NO_MEMORY));
    }
}
