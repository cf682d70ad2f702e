package io.quern.backend.cuda;

import java.util.Map;

/** What to do about a driver's error, for those where there is something to do. */
final class Remedies {
    static final String OTHER = "--backend auto runs without a GPU";
    static final String DRIVER = "install or update the NVIDIA driver to r580 or later (nvidia-smi shows its version)";

    private static final Map<Integer, String> BY_CODE = Map.of(
            34,
            "a stub libcuda.so was found instead of the driver's; correct LD_LIBRARY_PATH",
            36,
            DRIVER,
            46,
            "another process holds the GPU in exclusive mode; see nvidia-smi",
            100,
            "no GPU is visible; check nvidia-smi and CUDA_VISIBLE_DEVICES, or use another backend: " + OTHER,
            209,
            "the kernels were built for other GPUs; rebuild cuda/ with this one's architecture, or " + OTHER,
            218,
            DRIVER,
            222,
            DRIVER,
            500,
            "the kernel image is of another version than this code; rebuild it",
            701,
            "the kernel needs more registers or shared memory than this GPU has; this is a bug in quern",
            803,
            "driver library and kernel module differ; restart the machine after a driver update");

    private Remedies() {}

    /** "; " and the remedy, or nothing. */
    static String of(int code) {
        String remedy = BY_CODE.get(code);
        return remedy == null ? "" : "; " + remedy;
    }
}
