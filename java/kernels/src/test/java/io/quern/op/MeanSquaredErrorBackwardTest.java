package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class MeanSquaredErrorBackwardTest {
    @Test
    void scalesTheDifferenceByTheLossGradient() {
        try (Tensor a = Tensor.of(Shape.of(2), 3, 1);
                Tensor b = Tensor.of(Shape.of(2), 1, 2);
                Tensor dy = Tensor.of(Shape.of(), 10)) {
            MeanSquaredErrorBackward.OP.reference(new MeanSquaredErrorBackward.Args(a, b, dy, a));
            assertArrayEquals(new float[] {20, -10}, a.toFloats());
        }
    }
}
