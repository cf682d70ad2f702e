package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class MaxPoolBackwardTest {
    @Test
    void sendsTheGradientToTheLargest() {
        assertGradient(
                new float[] {1, 2, 4, 3, 6, 5, 7, 8},
                Shape.of(1, 2, 4, 1),
                PoolGeometry.of(2, 2),
                new float[] {10, 20},
                new float[] {0, 0, 0, 0, 10, 0, 0, 20});
    }

    @Test
    void addsUpWhereWindowsShareTheirLargest() {
        assertGradient(
                new float[] {1, 9, 2, 5},
                Shape.of(1, 1, 4, 1),
                new PoolGeometry(1, 2, 1, 1, 0, 0),
                new float[] {1, 10, 100},
                new float[] {0, 11, 0, 100});
    }

    @Test
    void givesAllToTheFirstOfEqualElements() {
        assertGradient(
                new float[] {5, 5, 5, 5}, Shape.of(1, 2, 2, 1), PoolGeometry.of(2, 2), new float[] {3}, new float[] {
                    3, 0, 0, 0
                });
    }

    @Test
    void givesAllToTheFirstNan() {
        assertGradient(
                new float[] {5, Float.NaN, Float.POSITIVE_INFINITY, Float.NaN},
                Shape.of(1, 2, 2, 1),
                PoolGeometry.of(2, 2),
                new float[] {3},
                new float[] {0, 3, 0, 0});
    }

    private static void assertGradient(
            float[] values, Shape image, PoolGeometry geometry, float[] gradient, float[] expected) {
        try (Tensor x = Tensor.of(image, values);
                Tensor dy = Tensor.of(geometry.resultShape("test", x, "x"), gradient);
                Tensor dx = Tensor.allocate(DType.F32, image).fill(Double.NaN)) {
            MaxPoolBackward.OP.reference(new MaxPoolBackward.Args(x, dy, dx, geometry));
            assertArrayEquals(expected, dx.toFloats());
        }
    }
}
