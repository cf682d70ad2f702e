package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import org.junit.jupiter.api.Test;

class Conv2dGeometryTest {
    private static final Conv2dGeometry UNIT = Conv2dGeometry.UNIT;

    @Test
    void aFilterLosesItsBorder() {
        assertEquals(Shape.of(2, 24, 26, 7), UNIT.resultShape(Shape.of(2, 28, 28, 3), Shape.of(5, 3, 3, 7)));
    }

    @Test
    void paddingOfHalfTheFilterKeepsTheExtents() {
        assertEquals(
                Shape.of(1, 28, 28, 4), UNIT.withPadding(2).resultShape(Shape.of(1, 28, 28, 1), Shape.of(5, 5, 1, 4)));
    }

    @Test
    void strideRoundsDown() {
        Conv2dGeometry geometry = UNIT.withStride(2).withPadding(1);
        assertEquals(16, geometry.resultH(32, 3));
        assertEquals(16, geometry.resultH(31, 3));
        assertEquals(15, geometry.resultH(30, 3));
    }

    @Test
    void dilationSpreadsTheTaps() {
        assertEquals(6, UNIT.withDilation(2).resultH(10, 3));
        assertEquals(8, UNIT.withDilation(2, 1).resultW(10, 3));
    }

    @Test
    void groupsShareTheChannelsOut() {
        assertEquals(Shape.of(1, 3, 3, 8), UNIT.withGroups(4).resultShape(Shape.of(1, 5, 5, 4), Shape.of(3, 3, 1, 8)));
        assertThrows(
                ArgumentException.class,
                () -> UNIT.withGroups(3).resultShape(Shape.of(1, 5, 5, 4), Shape.of(3, 3, 1, 8)));
    }

    @Test
    void aFilterLargerThanTheImageIsRefusedAlsoUnderStride() {
        for (int stride = 1; stride <= 4; stride++) {
            Conv2dGeometry geometry = UNIT.withStride(stride);
            assertThrows(
                    ArgumentException.class, () -> geometry.resultShape(Shape.of(1, 2, 9, 1), Shape.of(3, 3, 1, 1)));
        }
    }
}
