package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class ReduceTest {
    /** x is 2x2x3: 1..12 in row-major order. */
    private static float[] reduced(ReduceKind kind, int first, int last, long... shape) {
        try (Tensor x = Tensor.of(Shape.of(2, 2, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
                Tensor y = Tensor.allocate(DType.F32, Shape.of(shape))) {
            Reduce.OP.reference(new Reduce.Args(x, y, kind, first, last));
            return y.toFloats();
        }
    }

    @Test
    void overAllAxes() {
        assertArrayEquals(new float[] {78}, reduced(ReduceKind.SUM, 0, 2));
        assertArrayEquals(new float[] {6.5f}, reduced(ReduceKind.MEAN, 0, 2));
        assertArrayEquals(new float[] {12}, reduced(ReduceKind.MAX, 0, 2));
    }

    @Test
    void overTheLastAxis() {
        assertArrayEquals(new float[] {6, 15, 24, 33}, reduced(ReduceKind.SUM, 2, 2, 2, 2));
    }

    @Test
    void overLeadingAxesAsABiasGradient() {
        assertArrayEquals(new float[] {22, 26, 30}, reduced(ReduceKind.SUM, 0, 1, 3));
        assertArrayEquals(new float[] {10, 11, 12}, reduced(ReduceKind.MAX, 0, 1, 3));
    }

    @Test
    void overAMiddleAxis() {
        assertArrayEquals(new float[] {2.5f, 3.5f, 4.5f, 8.5f, 9.5f, 10.5f}, reduced(ReduceKind.MEAN, 1, 1, 2, 3));
    }

    @Test
    void theMaximumWithANaNIsNaN() {
        try (Tensor x = Tensor.of(Shape.of(3), 1, Float.NaN, 3);
                Tensor y = Tensor.allocate(DType.F32, Shape.of())) {
            Reduce.OP.reference(new Reduce.Args(x, y, ReduceKind.MAX, 0, 0));
            assertTrue(Double.isNaN(y.item()));
        }
    }
}
