package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class FillTest {
    @Test
    void setsEveryElementOfAViewAndNothingElse() {
        try (Tensor memory = Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6)) {
            Fill.OP.reference(new Fill.Args(memory.slice(1, 1, 2), 9));
            assertArrayEquals(new float[] {1, 9, 3, 4, 9, 6}, memory.toFloats());
        }
    }
}
