package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.DType;
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

    /** A step of 1e-4 is less than BF16 can add to 1; the parameter is F32, so it counts. */
    @Test
    void aBf16GradientMovesF32ParametersByLittle() {
        try (Tensor parameter = Tensor.of(Shape.of(1), 1);
                Tensor gradient = Tensor.allocate(DType.BF16, Shape.of(1)).copyFrom(new float[] {0.5f});
                Tensor moment1 = Tensor.allocate(DType.F32, Shape.of(1));
                Tensor moment2 = Tensor.allocate(DType.F32, Shape.of(1))) {
            AdamWStep.OP.reference(
                    new AdamWStep.Args(parameter, gradient, moment1, moment2, 1e-4, 0.9, 0.999, 1e-8, 0, 1));
            assertEquals(1 - 1e-4, parameter.item(), 1e-7);
        }
    }
}
