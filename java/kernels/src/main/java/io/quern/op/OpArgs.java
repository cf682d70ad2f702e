package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.List;

/**
 * The arguments of one call of an op: a record of tensors and attributes whose compact constructor checks shapes,
 * dtypes and overlap, so that a kernel can trust them. Optional tensors are null.
 */
public interface OpArgs {
    /** Tensors that the op reads, without nulls. A tensor updated in place is both an input and an output. */
    List<Tensor> inputs();

    /** Tensors that the op writes, without nulls. */
    List<Tensor> outputs();
}
