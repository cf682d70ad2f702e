package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class AdamWStepTest {
    @Test
    void theFirstStepMovesByTheRateAgainstTheSign() {
        try (Tensor p = Tensor.of(Shape.of(2), 1, 1);
                Tensor g = Tensor.of(Shape.of(2), 1e-3f, -50);
                Tensor m = Tensor.of(Shape.of(2), 0, 0);
                Tensor v = Tensor.of(Shape.of(2), 0, 0)) {
            AdamWStep.OP.reference(new AdamWStep.Args(p, g, m, v, 0.1, 0.9, 0.999, 1e-8, 0, 1));
            assertEquals(0.9, p.get(0), 1e-5);
            assertEquals(1.1, p.get(1), 1e-5);
            assertEquals(1e-4, m.get(0), 1e-9);
            assertEquals(2.5, v.get(1), 1e-5);
        }
    }

    @Test
    void laterStepsDivideByTheCorrectedRoot() {
        try (Tensor p = Tensor.of(Shape.of(1), 1);
                Tensor g = Tensor.of(Shape.of(1), 2);
                Tensor m = Tensor.of(Shape.of(1), 1);
                Tensor v = Tensor.of(Shape.of(1), 3)) {
            // m = 0.5 + 1 = 1.5, v = 1.5 + 2 = 3.5; corrections at step 2: 0.75 each
            AdamWStep.OP.reference(new AdamWStep.Args(p, g, m, v, 0.1, 0.5, 0.5, 1e-8, 0.2, 2));
            assertEquals(0.98 - 0.1 * (1.5 / 0.75) / Math.sqrt(3.5 / 0.75), p.item(), 1e-6);
        }
    }
}
