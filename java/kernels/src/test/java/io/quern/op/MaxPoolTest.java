package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class MaxPoolTest {
    private static final float NAN = Float.NaN;

    @Test
    void takesTheLargestOfEachWindow() {
        try (Tensor x = Tensor.of(Shape.of(1, 4, 4, 1), 1, 2, 3, 4, 8, 7, 6, 5, -1, -2, -3, -4, -8, -7, -6, -5);
                Tensor y = Tensor.of(Shape.of(1, 2, 2, 1), 0, 0, 0, 0)) {
            MaxPool.OP.reference(new MaxPool.Args(x, y, PoolGeometry.of(2, 2)));
            assertArrayEquals(new float[] {8, 6, -1, -3}, y.toFloats());
        }
    }

    @Test
    void keepsChannelsApart() {
        try (Tensor x = Tensor.of(Shape.of(1, 2, 2, 2), 1, -1, 2, -2, 3, -3, 4, -4);
                Tensor y = Tensor.of(Shape.of(1, 1, 1, 2), 0, 0)) {
            MaxPool.OP.reference(new MaxPool.Args(x, y, PoolGeometry.of(2, 1)));
            assertArrayEquals(new float[] {4, -1}, y.toFloats());
        }
    }

    @Test
    void ignoresPaddingEvenWhereAllValuesAreNegative() {
        try (Tensor x = Tensor.of(Shape.of(1, 3, 3, 1), -1, -2, -3, -4, -5, -6, -7, -8, -9);
                Tensor y = Tensor.of(Shape.of(1, 2, 2, 1), 0, 0, 0, 0)) {
            MaxPool.OP.reference(new MaxPool.Args(x, y, PoolGeometry.of(3, 2).withPadding(1)));
            assertArrayEquals(new float[] {-1, -2, -4, -5}, y.toFloats());
        }
    }

    @Test
    void leavesOutRowsAndColumnsThatDoNotFillAWindow() {
        try (Tensor x = Tensor.of(Shape.of(1, 3, 3, 1), 1, 2, 9, 3, 4, 9, 9, 9, 9);
                Tensor y = Tensor.of(Shape.of(1, 1, 1, 1), 0)) {
            MaxPool.OP.reference(new MaxPool.Args(x, y, PoolGeometry.of(2, 2)));
            assertEquals(4, y.item());
        }
    }

    @Test
    void isNanWhereAnyIsAndOtherwiseRespectsInfinities() {
        float infinity = Float.POSITIVE_INFINITY;
        try (Tensor x = Tensor.of(Shape.of(1, 1, 6, 1), NAN, infinity, -infinity, -infinity, infinity, 3);
                Tensor y = Tensor.of(Shape.of(1, 1, 3, 1), 0, 0, 0)) {
            MaxPool.OP.reference(new MaxPool.Args(x, y, new PoolGeometry(1, 2, 1, 2, 0, 0)));
            assertArrayEquals(new float[] {NAN, -infinity, infinity}, y.toFloats());
        }
    }
}
