package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class SgdStepTest {
    private static final double EXACT = 1e-6;

    /** Parameter 10, gradient 2, velocity 4, rate 1/2; returns parameter and velocity after the step. */
    private static double[] step(double momentum, double decay, boolean nesterov) {
        try (Tensor p = Tensor.of(Shape.of(1), 10);
                Tensor g = Tensor.of(Shape.of(1), 2);
                Tensor v = Tensor.of(Shape.of(1), 4)) {
            SgdStep.OP.reference(new SgdStep.Args(p, g, momentum == 0 ? null : v, 0.5, momentum, decay, nesterov));
            return new double[] {p.item(), v.item()};
        }
    }

    @Test
    void plainDescent() {
        assertEquals(10 - 0.5 * 2, step(0, 0, false)[0], EXACT);
    }

    @Test
    void momentumAddsTheVelocity() {
        double[] after = step(0.9, 0, false);
        assertEquals(0.9 * 4 + 2, after[1], EXACT);
        assertEquals(10 - 0.5 * 5.6, after[0], EXACT);
    }

    @Test
    void nesterovLooksAhead() {
        assertEquals(10 - 0.5 * (2 + 0.9 * 5.6), step(0.9, 0, true)[0], EXACT);
    }

    @Test
    void decayIsOutsideTheGradient() {
        double[] after = step(0.9, 0.1, false);
        assertEquals(0.95 * 10 - 0.5 * 5.6, after[0], EXACT);
        assertEquals(5.6, after[1], EXACT);
    }
}
