package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The reference against sums done by hand. */
class Conv2dTest {
    private static final Conv2dGeometry UNIT = Conv2dGeometry.UNIT;

    private static float[] conv(Tensor x, Tensor filter, Conv2dGeometry geometry) {
        try (Tensor y = Tensor.allocate(DType.F32, geometry.resultShape(x.shape(), filter.shape()))) {
            Conv2d.OP.reference(new Conv2d.Args(x, filter, y, geometry));
            return y.toFloats();
        }
    }

    /** 1 2 3 / 4 5 6 / 7 8 9. */
    private static Tensor square() {
        return Tensor.of(Shape.of(1, 3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    @Test
    void theFilterIsNotFlipped() {
        try (Tensor x = square();
                Tensor filter = Tensor.of(Shape.of(2, 2, 1, 1), 1, 10, 100, 1000)) {
            assertArrayEquals(new float[] {5421, 6532, 8754, 9865}, conv(x, filter, UNIT));
        }
    }

    @Test
    void paddingIsZero() {
        try (Tensor x = square();
                Tensor ones = Tensor.of(Shape.of(3, 3, 1, 1), 1, 1, 1, 1, 1, 1, 1, 1, 1)) {
            assertArrayEquals(new float[] {12, 21, 16, 27, 45, 33, 24, 39, 28}, conv(x, ones, UNIT.withPadding(1)));
        }
    }

    @Test
    void strideAndDilationSkipPixels() {
        try (Tensor x = square();
                Tensor filter = Tensor.of(Shape.of(2, 2, 1, 1), 1, 10, 100, 1000)) {
            assertArrayEquals(new float[] {9731}, conv(x, filter, UNIT.withDilation(2)));
            assertArrayEquals(
                    new float[] {1000, 3200, 7040, 9865},
                    conv(x, filter, UNIT.withStride(2).withPadding(1)),
                    "top left, top right, bottom left, bottom right of the padded image");
            assertArrayEquals(new float[] {5421, 8754}, conv(x, filter, UNIT.withStride(1, 2)));
        }
    }

    @Test
    void channelsAreSummedAndFilterColumnsAreResults() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 2, 2), 1, 2, 3, 4);
                Tensor filter = Tensor.of(Shape.of(1, 1, 2, 3), 1, 0, 10, 0, 1, 100)) {
            assertArrayEquals(new float[] {1, 2, 210, 3, 4, 430}, conv(x, filter, UNIT));
        }
    }

    @Test
    void aGroupSeesItsOwnChannels() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 1, 4), 1, 2, 3, 4);
                Tensor filter = Tensor.of(Shape.of(1, 1, 2, 2), 1, 10, 100, 1000);
                Tensor depthwise = Tensor.of(Shape.of(1, 1, 1, 8), 1, 2, 3, 4, 5, 6, 7, 8)) {
            assertArrayEquals(new float[] {1 + 200, 30 + 4000}, conv(x, filter, UNIT.withGroups(2)));
            assertArrayEquals(
                    new float[] {1, 2, 6, 8, 15, 18, 28, 32},
                    conv(x, depthwise, UNIT.withGroups(4)),
                    "two results per channel");
        }
    }

    @Test
    void biasAndActivationFollowTheSum() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 2, 1), 1, -1);
                Tensor filter = Tensor.of(Shape.of(1, 1, 1, 2), 2, -2);
                Tensor bias = Tensor.of(Shape.of(2), 0.5f, 0);
                Tensor y = Tensor.allocate(DType.F32, Shape.of(1, 1, 2, 2));
                Tensor z = Tensor.allocate(DType.F32, Shape.of(1, 1, 2, 2))) {
            Conv2d.OP.reference(new Conv2d.Args(x, filter, bias, y, z, UNIT, ActivationKind.RELU));
            assertArrayEquals(new float[] {2.5f, -2, -1.5f, 2}, z.toFloats());
            assertArrayEquals(new float[] {2.5f, 0, 0, 2}, y.toFloats());
        }
    }
}
