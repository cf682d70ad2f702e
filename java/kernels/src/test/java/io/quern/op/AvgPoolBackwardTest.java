package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class AvgPoolBackwardTest {
    @Test
    void givesEachPixelOfAWindowItsShare() {
        assertGradient(Shape.of(1, 2, 4, 1), PoolGeometry.of(2, 2), false, new float[] {4, 8}, new float[] {
            1, 1, 2, 2, 1, 1, 2, 2
        });
    }

    @Test
    void addsUpWhereWindowsOverlap() {
        assertGradient(
                Shape.of(1, 1, 4, 1), new PoolGeometry(1, 2, 1, 1, 0, 0), false, new float[] {2, 20, 200}, new float[] {
                    1, 11, 110, 100
                });
    }

    @Test
    void isZeroBetweenWindows() {
        assertGradient(
                Shape.of(1, 1, 5, 1), new PoolGeometry(1, 1, 1, 3, 0, 0), false, new float[] {7, 8}, new float[] {
                    7, 0, 0, 8, 0
                });
    }

    /** One window of 2 on the first pixel and padding, one on both pixels, one on the last pixel and padding. */
    @Test
    void dividesAsTheForwardPassDid() {
        PoolGeometry geometry = new PoolGeometry(1, 2, 1, 1, 0, 1);
        float[] gradient = {4, 20, 200};
        assertGradient(Shape.of(1, 1, 2, 1), geometry, false, gradient, new float[] {14, 210});
        assertGradient(Shape.of(1, 1, 2, 1), geometry, true, gradient, new float[] {12, 110});
    }

    private static void assertGradient(
            Shape image, PoolGeometry geometry, boolean countPadding, float[] gradient, float[] expected) {
        try (Tensor dx = Tensor.allocate(DType.F32, image).fill(Double.NaN);
                Tensor dy = Tensor.of(geometry.resultShape("test", dx, "dx"), gradient)) {
            AvgPoolBackward.OP.reference(new AvgPoolBackward.Args(dy, dx, geometry, countPadding));
            assertArrayEquals(expected, dx.toFloats());
        }
    }
}
