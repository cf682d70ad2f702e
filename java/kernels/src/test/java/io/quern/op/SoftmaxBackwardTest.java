package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class SoftmaxBackwardTest {
    @Test
    void weighsTheDifferenceFromTheMeanGradient() {
        try (Tensor y = Tensor.of(Shape.of(1, 3), 0.5f, 0.25f, 0.25f);
                Tensor dy = Tensor.of(Shape.of(1, 3), 4, 0, 8)) {
            // the mean is 2 + 0 + 2
            SoftmaxBackward.OP.reference(new SoftmaxBackward.Args(y, dy, dy));
            assertArrayEquals(new float[] {0, -1, 1}, dy.toFloats());
        }
    }

    @Test
    void aCommonGradientMovesNothing() {
        try (Tensor y = Tensor.of(Shape.of(2, 2), 0.25f, 0.75f, 1, 0);
                Tensor dy = Tensor.of(Shape.of(2, 2), 3, 3, -5, -5);
                Tensor dx = Tensor.of(Shape.of(2, 2), 9, 9, 9, 9)) {
            SoftmaxBackward.OP.reference(new SoftmaxBackward.Args(y, dy, dx));
            assertArrayEquals(new float[] {0, 0, 0, 0}, dx.toFloats(), 0);
        }
    }
}
