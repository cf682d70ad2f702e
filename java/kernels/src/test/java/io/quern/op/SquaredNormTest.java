package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class SquaredNormTest {
    @Test
    void sumsSquares() {
        try (Tensor x = Tensor.of(Shape.of(3), 3, -4, 12);
                Tensor y = Tensor.allocate(DType.F32, Shape.of())) {
            SquaredNorm.OP.reference(new SquaredNorm.Args(x, y));
            assertEquals(169, y.item());
        }
    }
}
