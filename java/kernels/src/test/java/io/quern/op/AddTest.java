package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class AddTest {
    @Test
    void addsInPlace() {
        try (Tensor a = Tensor.of(Shape.of(3), 1, 2, 3);
                Tensor b = Tensor.of(Shape.of(3), 10, 20, 30)) {
            Add.OP.reference(new Add.Args(a, b, a));
            assertArrayEquals(new float[] {11, 22, 33}, a.toFloats());
        }
    }
}
