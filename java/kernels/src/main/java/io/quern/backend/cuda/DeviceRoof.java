package io.quern.backend.cuda;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/** What a device can do at most, measured by roof.cu: the best of some runs. */
public final class DeviceRoof {
    private static final int BLOCK = 256;
    private static final int OPERATIONS_PER_ROUND = 2 * 16;

    private final CudaBackend backend;
    private final CudaKernel copy;
    private final CudaKernel multiplyAdd;
    private final int processors;

    DeviceRoof(CudaBackend backend, CudaKernels kernels, int processors) {
        this.backend = backend;
        this.copy = kernels.get("roof_copy_f32");
        this.multiplyAdd = kernels.get("roof_fma_f32");
        this.processors = processors;
    }

    /** Bytes per second, read and written, of copying a tensor of so many elements; take more than the caches hold. */
    public double copyRate(long elements, int runs) {
        try (Tensor x = Tensor.allocate(backend.memory(), DType.F32, Shape.of(elements));
                Tensor y = Tensor.allocate(backend.memory(), DType.F32, Shape.of(elements))) {
            double seconds = best(
                    runs, () -> copy.with().tensor(x).tensor(y).i64(elements).cover(elements, BLOCK, 4));
            return 2.0 * elements * Float.BYTES / seconds;
        }
    }

    /** Operations per second of f32 multiply-adds in registers, each of which counts as two. */
    public double multiplyAddRate(int rounds, int runs) {
        int blocks = 16 * processors;
        try (Tensor y = Tensor.allocate(backend.memory(), DType.F32, Shape.of((long) blocks * BLOCK))) {
            double seconds = best(
                    runs,
                    () -> multiplyAdd
                            .with()
                            .tensor(y)
                            .i32(rounds)
                            .f32(0.999)
                            .f32(0.001)
                            .run(blocks, 1, 1, BLOCK, 0));
            return (double) OPERATIONS_PER_ROUND * rounds * blocks * BLOCK / seconds;
        }
    }

    private double best(int runs, Runnable launch) {
        try (DeviceTimer timer = backend.timer()) {
            launch.run();
            double best = Double.POSITIVE_INFINITY;
            for (int i = 0; i < runs; i++) {
                best = Math.min(best, timer.seconds(launch));
            }
            return best;
        }
    }
}
