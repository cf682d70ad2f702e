package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class ScaleTest {
    @Test
    void multipliesByTheFactorInPlace() {
        try (Tensor x = Tensor.of(Shape.of(3), 1, -2, 0)) {
            Scale.OP.reference(new Scale.Args(x, x, -0.5));
            assertArrayEquals(new float[] {-0.5f, 1, -0f}, x.toFloats());
        }
    }
}
