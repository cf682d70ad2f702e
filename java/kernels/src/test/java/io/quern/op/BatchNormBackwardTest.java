package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class BatchNormBackwardTest {
    /** h = -1/2, 1/2; the gradient of one output loses its mean and its part along h. */
    @Test
    void ofTwoValues() {
        try (Tensor x = Tensor.of(Shape.of(2, 1), 1, 3);
                Tensor dy = Tensor.of(Shape.of(2, 1), 1, 0);
                Tensor gamma = Tensor.of(Shape.of(1), 2);
                Tensor mean = Tensor.of(Shape.of(1), 2);
                Tensor inverse = Tensor.of(Shape.of(1), 0.5f);
                Tensor dgamma = Tensor.of(Shape.of(1), 9);
                Tensor dbeta = Tensor.of(Shape.of(1), 9)) {
            BatchNormBackward.OP.reference(new BatchNormBackward.Args(x, dy, gamma, mean, inverse, dy, dgamma, dbeta));
            assertArrayEquals(new float[] {0.375f, -0.375f}, dy.toFloats());
            assertEquals(-0.5, dgamma.item());
            assertEquals(1, dbeta.item());
        }
    }

    /** A shift or a scaling of a channel does not change y (without epsilon), so dx has no part along either. */
    @Test
    void dxIsOrthogonalToShiftAndScaling() {
        int n = 50;
        try (Tensor x = Rng.of(1).fillNormal(Tensor.of(Shape.of(n, 1), new float[n]), 3, 2);
                Tensor dy = Rng.of(2).fillNormal(Tensor.of(Shape.of(n, 1), new float[n]), 0, 1);
                Tensor dx = Tensor.of(Shape.of(n, 1), new float[n]);
                Tensor gamma = Tensor.of(Shape.of(1), 1.5f);
                Tensor mean = Tensor.of(Shape.of(1), 0);
                Tensor inverse = Tensor.of(Shape.of(1), 0);
                Tensor dgamma = Tensor.of(Shape.of(1), 0);
                Tensor dbeta = Tensor.of(Shape.of(1), 0)) {
            Moments moments = Moments.of(x, 0, n, 1);
            mean.set(0, moments.mean());
            inverse.set(0, 1 / Math.sqrt(moments.variance()));
            BatchNormBackward.OP.reference(new BatchNormBackward.Args(x, dy, gamma, mean, inverse, dx, dgamma, dbeta));
            double alongShift = 0;
            double alongScaling = 0;
            for (int i = 0; i < n; i++) {
                alongShift += dx.get(i);
                alongScaling += dx.get(i) * (x.get(i) - moments.mean());
            }
            assertEquals(0, alongShift, 1e-5);
            assertEquals(0, alongScaling, 1e-5);
        }
    }
}
