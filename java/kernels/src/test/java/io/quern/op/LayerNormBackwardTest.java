package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class LayerNormBackwardTest {
    /** h = -1/2, 1/2 and g = 2, 4: mean(g) = 3, mean(g h) = 1/2. The second row adds to dgamma and dbeta alone. */
    @Test
    void ofTwoRows() {
        try (Tensor x = Tensor.of(Shape.of(2, 2), 1, 3, 0, 8);
                Tensor dy = Tensor.of(Shape.of(2, 2), 1, 1, 10, 0);
                Tensor gamma = Tensor.of(Shape.of(2), 2, 4);
                Tensor mean = Tensor.of(Shape.of(2), 2, 4);
                Tensor inverse = Tensor.of(Shape.of(2), 0.5f, 0.25f);
                Tensor dx = Tensor.of(Shape.of(2, 2), 9, 9, 9, 9);
                Tensor dgamma = Tensor.of(Shape.of(2), 9, 9);
                Tensor dbeta = Tensor.of(Shape.of(2), 9, 9)) {
            LayerNormBackward.OP.reference(new LayerNormBackward.Args(x, dy, gamma, mean, inverse, dx, dgamma, dbeta));
            // second row: h = -1, 1, g = 20, 0, mean(g) = 10, mean(g h) = -10
            assertArrayEquals(new float[] {-0.375f, 0.375f, 0, 0}, dx.toFloats());
            assertArrayEquals(new float[] {-0.5f - 10, 0.5f}, dgamma.toFloats());
            assertArrayEquals(new float[] {11, 1}, dbeta.toFloats());
        }
    }
}
