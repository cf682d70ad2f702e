package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The reference against sums done by hand. */
class Conv2dBackwardDataTest {
    private static final Conv2dGeometry UNIT = Conv2dGeometry.UNIT;

    private static float[] backward(Tensor dy, Tensor filter, Shape image, Conv2dGeometry geometry) {
        try (Tensor dx = Tensor.allocate(DType.F32, image).fill(Double.NaN)) {
            Conv2dBackwardData.OP.reference(new Conv2dBackwardData.Args(dy, filter, dx, geometry));
            return dx.toFloats();
        }
    }

    @Test
    void aResultPixelStampsTheFilterIntoTheImage() {
        try (Tensor dy = Tensor.of(Shape.of(1, 1, 1, 1), 2);
                Tensor filter = Tensor.of(Shape.of(2, 2, 1, 1), 1, 10, 100, 1000)) {
            assertArrayEquals(new float[] {2, 20, 200, 2000}, backward(dy, filter, Shape.of(1, 2, 2, 1), UNIT));
        }
    }

    @Test
    void stampsOverlapAndPaddingIsCutOff() {
        try (Tensor dy = Tensor.of(Shape.of(1, 1, 3, 1), 1, 2, 3);
                Tensor filter = Tensor.of(Shape.of(1, 3, 1, 1), 1, 10, 100)) {
            assertArrayEquals(new float[] {1, 12, 123, 230, 300}, backward(dy, filter, Shape.of(1, 1, 5, 1), UNIT));
            assertArrayEquals(
                    new float[] {12, 123, 230}, backward(dy, filter, Shape.of(1, 1, 3, 1), UNIT.withPadding(0, 1)));
        }
    }

    @Test
    void pixelsThatNoTapReadsAreZero() {
        try (Tensor dy = Tensor.of(Shape.of(1, 1, 2, 1), 1, 2);
                Tensor filter = Tensor.of(Shape.of(1, 1, 1, 1), 3)) {
            assertArrayEquals(
                    new float[] {3, 0, 0, 6, 0}, backward(dy, filter, Shape.of(1, 1, 5, 1), UNIT.withStride(1, 3)));
        }
    }

    @Test
    void resultChannelsAreSummedWithinTheirGroup() {
        try (Tensor dy = Tensor.of(Shape.of(1, 1, 1, 4), 1, 2, 3, 4);
                Tensor filter = Tensor.of(Shape.of(1, 1, 1, 4), 1, 10, 100, 1000);
                Tensor wide = Tensor.of(Shape.of(1, 1, 2, 4), 1, 10, 100, 1000, 0, 0, 0, 1)) {
            assertArrayEquals(new float[] {21, 4300}, backward(dy, filter, Shape.of(1, 1, 1, 2), UNIT.withGroups(2)));
            assertArrayEquals(new float[] {4321, 4}, backward(dy, wide, Shape.of(1, 1, 1, 2), UNIT));
        }
    }
}
