package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The reference against sums done by hand. */
class Conv2dBackwardWeightsTest {
    private static final Conv2dGeometry UNIT = Conv2dGeometry.UNIT;

    private static float[] backward(Tensor x, Tensor dy, Shape filter, Conv2dGeometry geometry) {
        try (Tensor dfilter = Tensor.allocate(DType.F32, filter).fill(Double.NaN)) {
            Conv2dBackwardWeights.OP.reference(new Conv2dBackwardWeights.Args(x, dy, dfilter, geometry));
            return dfilter.toFloats();
        }
    }

    @Test
    void aTapMeetsEveryPixelItReads() {
        try (Tensor x = Tensor.of(Shape.of(1, 2, 3, 1), 1, 2, 3, 4, 5, 6);
                Tensor dy = Tensor.of(Shape.of(1, 1, 2, 1), 1, 10)) {
            assertArrayEquals(new float[] {21, 32, 54, 65}, backward(x, dy, Shape.of(2, 2, 1, 1), UNIT));
        }
    }

    @Test
    void imagesAreSummed() {
        try (Tensor x = Tensor.of(Shape.of(2, 1, 1, 2), 1, 2, 3, 4);
                Tensor dy = Tensor.of(Shape.of(2, 1, 1, 3), 1, 10, 100, 2, 20, 200)) {
            assertArrayEquals(new float[] {7, 70, 700, 10, 100, 1000}, backward(x, dy, Shape.of(1, 1, 2, 3), UNIT));
        }
    }

    @Test
    void tapsOutsideTheImageGetNothing() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 1, 1), 5);
                Tensor dy = Tensor.of(Shape.of(1, 1, 1, 1), 7)) {
            assertArrayEquals(
                    new float[] {0, 0, 0, 0, 35, 0, 0, 0, 0},
                    backward(x, dy, Shape.of(3, 3, 1, 1), UNIT.withPadding(1)));
        }
    }

    @Test
    void strideDilationAndGroups() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 5, 1), 1, 2, 3, 4, 5);
                Tensor dy = Tensor.of(Shape.of(1, 1, 2, 1), 1, 10);
                Tensor pair = Tensor.of(Shape.of(1, 1, 1, 2), 3, 5);
                Tensor signal = Tensor.of(Shape.of(1, 1, 1, 4), 1, 2, 3, 4)) {
            assertArrayEquals(
                    new float[] {31, 53},
                    backward(x, dy, Shape.of(1, 2, 1, 1), UNIT.withStride(1, 2).withDilation(1, 2)));
            assertArrayEquals(
                    new float[] {3, 6, 15, 20}, backward(pair, signal, Shape.of(1, 1, 1, 4), UNIT.withGroups(2)));
        }
    }
}
