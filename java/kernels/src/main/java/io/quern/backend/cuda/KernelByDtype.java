package io.quern.backend.cuda;

import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** A kernel in its forms for F32 and BF16 storage, named {@code stem_f32} and {@code stem_bf16}. */
final class KernelByDtype {
    private final CudaKernel floats;
    private final CudaKernel halves;

    KernelByDtype(CudaKernels kernels, String stem) {
        floats = kernels.get(stem + "_f32");
        halves = kernels.get(stem + "_bf16");
    }

    /** True for contiguous tensors of one such dtype. */
    static boolean takes(Tensor... tensors) {
        DType dtype = tensors[0].dtype();
        return (dtype == DType.F32 || dtype == DType.BF16) && Contiguous.all(dtype, tensors);
    }

    /** Begins a launch of the form for the dtype of such a tensor. */
    Launch with(Tensor tensor) {
        return (tensor.dtype() == DType.BF16 ? halves : floats).with();
    }
}
