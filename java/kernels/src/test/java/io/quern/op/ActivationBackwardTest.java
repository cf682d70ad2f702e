package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActivationBackwardTest {
    /** saved is y for the first five functions, x for GELU and SILU; dy is 2. */
    @ParameterizedTest
    @CsvSource({
        "NONE, 7, 2",
        "RELU, 3, 2",
        "RELU, 0, 0",
        "LEAKY_RELU, 3, 2",
        "LEAKY_RELU, -3, 0.02",
        "SIGMOID, 0.25, 0.375",
        "TANH, 0.5, 1.5",
        "GELU, 0, 1",
        "SILU, 0, 1",
        "GELU, 100, 2",
        "GELU, -100, 0",
        "SILU, 1000, 2",
        "SILU, -1000, 0"
    })
    void multipliesBySlope(ActivationKind kind, double saved, double dx) {
        try (Tensor s = Tensor.allocate(DType.F64, Shape.of());
                Tensor dy = Tensor.allocate(DType.F64, Shape.of())) {
            s.set(0, saved);
            dy.set(0, 2);
            ActivationBackward.OP.reference(new ActivationBackward.Args(s, dy, dy, kind));
            assertEquals(dx, dy.item(), 1e-15);
        }
    }
}
