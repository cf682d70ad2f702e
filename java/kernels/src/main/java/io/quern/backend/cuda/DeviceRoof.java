package io.quern.backend.cuda;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/** What a device can do at most, measured by roof.cu: the best of some runs. */
public final class DeviceRoof {
    private static final int BLOCK = 256;
    private static final int OPERATIONS_PER_ROUND = 2 * 16;
    private static final int WARP = 32;
    /** Of a run, one behind the other, as benchmarks launch. */
    private static final int COPIES = 10;

    /** Of a warp. */
    private static final int BF16_PER_ROUND = 8 * 2 * 16 * 8 * 16;

    private static final int TF32_PER_ROUND = BF16_PER_ROUND / 2;
    /** Of a block. */
    private static final int HOPPER_PER_ROUND = 2 * 4 * 2 * 64 * 256 * 16;

    private static final int HOPPER_SHARED = 49_152;

    private final CudaBackend backend;
    private final CudaKernel copy;
    private final CudaKernel multiplyAdd;
    private final CudaKernel bf16;
    private final CudaKernel tf32;
    private final Optional<CudaKernel> hopper;
    private final int processors;

    DeviceRoof(CudaBackend backend, CudaKernels kernels, int processors) {
        this.backend = backend;
        this.copy = kernels.get("roof_copy_f32");
        this.multiplyAdd = kernels.get("roof_fma_f32");
        this.bf16 = kernels.get("roof_mma_bf16");
        this.tf32 = kernels.get("roof_mma_tf32");
        this.hopper = kernels.hopper("roof_wgmma_bf16", HOPPER_SHARED);
        this.processors = processors;
    }

    /**
     * Bytes per second, read and written, of copying a tensor of so many elements over and over; take more than the caches hold,
     * and runs enough for half a second: memory that was idle takes that long to come to its clock.
     */
    public double copyRate(long elements, int runs) {
        try (Tensor x = Tensor.allocate(backend.memory(), DType.F32, Shape.of(elements));
                Tensor y = Tensor.allocate(backend.memory(), DType.F32, Shape.of(elements))) {
            double seconds = best(runs, () -> {
                for (int i = 0; i < COPIES; i++) {
                    copy.with().tensor(x).tensor(y).i64(elements).cover(elements, BLOCK, 4);
                }
            });
            return 2.0 * COPIES * elements * Float.BYTES / seconds;
        }
    }

    /** Operations per second of f32 multiply-adds in registers, each of which counts as two. */
    public double multiplyAddRate(int rounds, int runs) {
        int blocks = 16 * processors;
        return (double) OPERATIONS_PER_ROUND
                * blocks
                * BLOCK
                * rounds
                / seconds(
                        blocks,
                        runs,
                        y -> multiplyAdd
                                .with()
                                .tensor(y)
                                .i32(rounds)
                                .f32(0.999)
                                .f32(0.001)
                                .run(blocks, 1, 1, BLOCK, 0));
    }

    /** Operations per second of tensor cores on BF16 operands in registers, by the instruction of every GPU, mma.sync. */
    public double bf16Rate(int rounds, int runs) {
        return mmaRate(bf16, BF16_PER_ROUND, rounds, runs);
    }

    /** The same on TF32 operands. */
    public double tf32Rate(int rounds, int runs) {
        return mmaRate(tf32, TF32_PER_ROUND, rounds, runs);
    }

    /** On BF16 operands in shared memory by Hopper's instruction, wgmma; empty elsewhere. */
    public OptionalDouble hopperRate(int rounds, int runs) {
        return hopper.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of((double) HOPPER_PER_ROUND
                        * processors
                        * rounds
                        / seconds(
                                processors,
                                runs,
                                y -> hopper.get()
                                        .with()
                                        .tensor(y)
                                        .i32(rounds)
                                        .run(processors, 1, 1, BLOCK, HOPPER_SHARED)));
    }

    private double mmaRate(CudaKernel kernel, int operations, int rounds, int runs) {
        int blocks = 8 * processors;
        return (double) operations
                * (BLOCK / WARP)
                * blocks
                * rounds
                / seconds(blocks, runs, y -> kernel.with().tensor(y).i32(rounds).run(blocks, 1, 1, BLOCK, 0));
    }

    /** Of a launch that writes one number per thread. */
    private double seconds(int blocks, int runs, Consumer<Tensor> launch) {
        try (Tensor y = Tensor.allocate(backend.memory(), DType.F32, Shape.of((long) blocks * BLOCK))) {
            return best(runs, () -> launch.accept(y));
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
