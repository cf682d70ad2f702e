package io.quern.backend.cuda;

import io.quern.tensor.DType;
import io.quern.tensor.Tensor;
import java.util.function.Function;

/**
 * A kernel in its forms for F32 and BF16 storage, named {@code stem_f32} and {@code stem_bf16}: what QUERN_KERNEL_BY_DTYPE of
 * types.cuh makes.
 */
final class KernelByDtype {
    private final CudaKernel floats;
    private final CudaKernel halves;

    KernelByDtype(CudaKernels kernels, String stem) {
        this(stem, kernels::get);
    }

    private KernelByDtype(String stem, Function<String, CudaKernel> find) {
        floats = find.apply(stem + "_f32");
        halves = find.apply(stem + "_bf16");
    }

    /** Those of {@link CudaKernels#overlapping}. */
    static KernelByDtype overlapping(CudaKernels kernels, String stem) {
        return new KernelByDtype(stem, kernels::overlapping);
    }

    /** True for contiguous tensors of one such dtype; nulls behind the first pass. */
    static boolean takes(Tensor... tensors) {
        DType dtype = tensors[0].dtype();
        return has(dtype) && Contiguous.all(dtype, tensors);
    }

    /** True if there is a form for this dtype. */
    static boolean has(DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    /** Elements of 16 bytes. */
    static int lanes(Tensor tensor) {
        return 16 / tensor.dtype().bytes();
    }

    /** Begins a launch of the form for the dtype of such a tensor. */
    Launch with(Tensor tensor) {
        return (tensor.dtype() == DType.BF16 ? halves : floats).with();
    }
}
