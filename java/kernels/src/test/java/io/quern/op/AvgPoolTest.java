package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class AvgPoolTest {
    @Test
    void averagesEachWindowAndChannel() {
        try (Tensor x = Tensor.of(Shape.of(1, 2, 4, 2), 1, 10, 2, 20, 5, 0, 5, 0, 3, 30, 6, 60, 5, 0, 9, 8);
                Tensor y = Tensor.of(Shape.of(1, 1, 2, 2), 0, 0, 0, 0)) {
            AvgPool.OP.reference(new AvgPool.Args(x, y, PoolGeometry.of(2, 2)));
            assertArrayEquals(new float[] {3, 30, 6, 2}, y.toFloats());
        }
    }

    /** Windows of 3 x 3 on an image of 2 x 2: each holds all four pixels and five of padding. */
    @Test
    void countsPaddingInTheDivisorOnlyWhenAsked() {
        PoolGeometry geometry = PoolGeometry.of(3, 1).withPadding(1);
        try (Tensor x = Tensor.of(Shape.of(1, 2, 2, 1), 9, 18, 27, 36);
                Tensor y = Tensor.of(Shape.of(1, 2, 2, 1), 0, 0, 0, 0)) {
            AvgPool.OP.reference(new AvgPool.Args(x, y, geometry));
            assertArrayEquals(new float[] {22.5f, 22.5f, 22.5f, 22.5f}, y.toFloats());
            AvgPool.OP.reference(new AvgPool.Args(x, y, geometry, true));
            assertArrayEquals(new float[] {10, 10, 10, 10}, y.toFloats());
        }
    }
}
