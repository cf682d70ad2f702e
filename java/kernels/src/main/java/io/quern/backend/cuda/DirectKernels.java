package io.quern.backend.cuda;

/** The kernels of one pass with a thread per strip: of one channel, or of 16 bytes of them for depthwise convolutions. */
final class DirectKernels {
    private final CudaKernel floats;
    private final CudaKernel halves;
    private final CudaKernel wideFloats;
    private final CudaKernel wideHalves;

    DirectKernels(CudaKernels kernels, String stem) {
        floats = kernels.get(stem + "_f32_1");
        halves = kernels.get(stem + "_bf16_1");
        wideFloats = kernels.get(stem + "_f32_" + ProductKind.F32.lanes);
        wideHalves = kernels.get(stem + "_bf16_" + ProductKind.BF16.lanes);
    }

    /** @param lanes channels of a thread: one, or the kind's */
    CudaKernel get(ProductKind kind, int lanes) {
        if (kind == ProductKind.BF16) {
            return lanes == 1 ? halves : wideHalves;
        }
        return lanes == 1 ? floats : wideFloats;
    }
}
