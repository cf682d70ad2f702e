package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationTest {
    private static double value(ActivationKind kind, double x) {
        try (Tensor t = Tensor.allocate(DType.F64, Shape.of())) {
            t.set(0, x);
            Activation.OP.reference(new Activation.Args(t, t, kind));
            return t.item();
        }
    }

    /** Values of the formulas, computed apart with 50 digits. */
    @ParameterizedTest
    @CsvSource({
        "NONE, -1.5, -1.5",
        "RELU, -1.5, 0",
        "RELU, 1.5, 1.5",
        "LEAKY_RELU, -1.5, -0.015",
        "LEAKY_RELU, 1.5, 1.5",
        "SIGMOID, 0, 0.5",
        "SIGMOID, 2, 0.88079707797788244",
        "TANH, 0.5, 0.46211715726000975",
        "GELU, 1, 0.84119199060827676",
        "GELU, -1, -0.15880800939172324",
        "SILU, 1, 0.73105857863000488",
        "SILU, -2, -0.23840584404423511"
    })
    void hasTheValueOfItsFormula(ActivationKind kind, double x, double y) {
        assertEquals(y, value(kind, x), 1e-15);
    }

    @ParameterizedTest
    @EnumSource
    void keepsNaN(ActivationKind kind) {
        assertTrue(Double.isNaN(value(kind, Double.NaN)));
    }

    @Test
    void saturatesAtInfinity() {
        for (ActivationKind kind : ActivationKind.values()) {
            double top = kind == ActivationKind.SIGMOID || kind == ActivationKind.TANH ? 1 : Double.POSITIVE_INFINITY;
            assertEquals(top, value(kind, Double.POSITIVE_INFINITY), kind.label());
        }
        assertEquals(-1, value(ActivationKind.TANH, Double.NEGATIVE_INFINITY));
        assertEquals(-0.0, value(ActivationKind.GELU, Double.NEGATIVE_INFINITY));
        assertEquals(-0.0, value(ActivationKind.SILU, Double.NEGATIVE_INFINITY));
    }

    @Test
    void worksInPlace() {
        try (Tensor x = Tensor.of(Shape.of(3), -1, 0, 2)) {
            Activation.OP.reference(new Activation.Args(x, x, ActivationKind.RELU));
            assertArrayEquals(new float[] {0, 0, 2}, x.toFloats());
        }
    }
}
