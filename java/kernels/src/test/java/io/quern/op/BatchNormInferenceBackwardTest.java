package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class BatchNormInferenceBackwardTest {
    /** Deviation 2: the statistics are constants, so each dx depends on its own dy alone. */
    @Test
    void ofTwoValues() {
        try (Tensor x = Tensor.of(Shape.of(2, 1), 1, 7);
                Tensor dy = Tensor.of(Shape.of(2, 1), 1, 10);
                Tensor gamma = Tensor.of(Shape.of(1), 6);
                Tensor mean = Tensor.of(Shape.of(1), 3);
                Tensor variance = Tensor.of(Shape.of(1), 3);
                Tensor dgamma = Tensor.of(Shape.of(1), 9);
                Tensor dbeta = Tensor.of(Shape.of(1), 9)) {
            BatchNormInferenceBackward.OP.reference(
                    new BatchNormInferenceBackward.Args(x, dy, gamma, mean, variance, dy, dgamma, dbeta, 1));
            assertArrayEquals(new float[] {3, 30}, dy.toFloats());
            assertEquals(1 * -1 + 10 * 2, dgamma.item());
            assertEquals(11, dbeta.item());
        }
    }
}
