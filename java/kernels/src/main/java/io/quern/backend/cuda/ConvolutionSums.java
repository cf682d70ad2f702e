package io.quern.backend.cuda;

import io.quern.op.ActivationKind;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** Sums that are cut into pieces: space for the partial ones in F32, and the kernel that adds them in order, conv2d_finish. */
final class ConvolutionSums {
    private static final int BLOCK = 256;
    /** Elements of a thread. */
    private static final int RUN = 8;

    private final CudaKernel finish;
    private final DeviceScratch scratch;

    ConvolutionSums(CudaKernels kernels) {
        finish = kernels.get("conv2d_finish");
        scratch = kernels.scratch();
    }

    /** ConvolutionEnd of convolution.cuh; nulls are left out. */
    static long[] end(Tensor bias, Tensor y, Tensor preactivation, ActivationKind activation) {
        return new long[] {
            address(bias),
            y.address(),
            address(preactivation),
            Launch.pair(activation.ordinal(), y.dtype() == DType.BF16 ? 1 : 0)
        };
    }

    private static long address(Tensor tensor) {
        return tensor == null ? 0 : tensor.address();
    }

    /** Where so many pieces of a result go; 0 for the result itself. */
    long partial(Tensor result, int splits) {
        return splits == 1 ? 0 : scratch.bytes(splits * result.elements() * Float.BYTES);
    }

    /** Target of convolution.cuh: the result, or the space for its pieces if there is one. */
    static long[] target(Tensor result, long partial) {
        return partial == 0
                ? new long[] {result.address(), result.dtype() == DType.BF16 ? 1 : 0}
                : new long[] {partial, 0};
    }

    /** Adds the pieces, if there are any. */
    void add(long partial, int splits, Tensor result, long[] end) {
        if (partial != 0) {
            finish.with()
                    .i64(partial)
                    .words(end)
                    .i64(result.elements())
                    .i32(result.dim(3))
                    .i32(splits)
                    .cover(result.elements(), BLOCK, RUN);
        }
    }

    /** The same for a gradient. */
    void add(long partial, int splits, Tensor result) {
        add(partial, splits, result, end(null, result, null, ActivationKind.NONE));
    }
}
