package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/** Where a {@link Case} gets its tensors from: the harness decides dtype, values, alignment and strides. */
public interface CaseTensors {
    /** The dtype under test, F32 or F64. */
    DType dtype();

    /** An input with random values, uniform in [-1, 1) unless the harness wants special ones. */
    default Tensor input(long... extents) {
        return input(Shape.of(extents), -1, 1);
    }

    /** An input with random values, uniform in [low, high). */
    Tensor input(Shape shape, double low, double high);

    /** Like {@link #input(long...)}, but never NaN or infinite: where the op leaves open what such values do. */
    Tensor finite(long... extents);

    /** An I32 input with random values in [low, high). */
    Tensor indices(Shape shape, int low, int high);

    /** An output of the dtype under test, filled with NaN. */
    default Tensor output(long... extents) {
        return output(dtype(), Shape.of(extents));
    }

    Tensor output(DType dtype, Shape shape);
}
