package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/** Where a {@link Case} gets its tensors from: the harness decides dtype, values, alignment and strides. */
public interface CaseTensors {
    /** The dtype under test. */
    DType dtype();

    /** An input with random values, uniform in [-1, 1) unless the harness wants special ones. */
    default Tensor input(long... extents) {
        return input(Shape.of(extents), -1, 1);
    }

    /** An input with random values, uniform in [low, high). */
    default Tensor input(Shape shape, double low, double high) {
        return input(dtype(), shape, low, high);
    }

    /** The same in another dtype. */
    Tensor input(DType dtype, Shape shape, double low, double high);

    /** An input of the type that sums of the dtype under test are kept in, uniform in [-1, 1). */
    default Tensor wide(long... extents) {
        return wide(Shape.of(extents), -1, 1);
    }

    /** The same, uniform in [low, high). */
    default Tensor wide(Shape shape, double low, double high) {
        return input(dtype().accumulator(), shape, low, high);
    }

    /** Like {@link #input(long...)}, but never NaN or infinite: where the op leaves open what such values do. */
    Tensor finite(long... extents);

    /** An I32 input with random values in [low, high). */
    Tensor indices(Shape shape, int low, int high);

    /** An output of the dtype under test, filled with NaN. */
    default Tensor output(long... extents) {
        return output(dtype(), Shape.of(extents));
    }

    /** An output of the type that sums of the dtype under test are kept in. */
    default Tensor wideOutput(long... extents) {
        return output(dtype().accumulator(), Shape.of(extents));
    }

    Tensor output(DType dtype, Shape shape);
}
