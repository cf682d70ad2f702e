package io.quern.backend.cuda;

import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** What the kernels take: row-major tensors of one dtype. */
final class Contiguous {
    private Contiguous() {}

    /** True for F32 without gaps; nulls pass. */
    static boolean floats(Tensor... tensors) {
        return all(DType.F32, tensors);
    }

    /** True for I32 without gaps. */
    static boolean integers(Tensor... tensors) {
        return all(DType.I32, tensors);
    }

    /** True for one dtype without gaps; nulls pass. */
    static boolean all(DType dtype, Tensor... tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null && (tensor.dtype() != dtype || !tensor.isContiguous())) {
                return false;
            }
        }
        return true;
    }
}
