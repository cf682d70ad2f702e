package io.quern.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ShapeTest {
    @Test
    void multipliesItsExtents() {
        assertEquals(24, Shape.of(2, 3, 4).elements());
        assertEquals(0, Shape.of(2, 0, 4).elements());
        assertEquals(1, Shape.of().elements());
        assertEquals(1L << 40, Shape.of(1 << 20, 1 << 20).elements());
    }

    @Test
    void countsNegativeAxesFromTheEnd() {
        Shape shape = Shape.of(2, 3, 4);
        assertEquals(4, shape.size(-1));
        assertEquals(2, shape.size(-3));
        assertEquals(1, shape.axis(-2));
        assertRefused("axis 3 is outside shape 2x3x4", () -> shape.size(3));
        assertRefused("axis -4 is outside shape 2x3x4", () -> shape.size(-4));
        assertRefused("axis 0 is outside shape scalar", () -> Shape.of().size(0));
    }

    @Test
    void hasRowMajorStrides() {
        assertArrayEquals(new long[] {12, 4, 1}, Shape.of(2, 3, 4).contiguousStrides());
        assertArrayEquals(new long[] {4, 4, 1}, Shape.of(2, 0, 4).contiguousStrides());
        assertArrayEquals(new long[0], Shape.of().contiguousStrides());
    }

    @Test
    void changesAxes() {
        Shape shape = Shape.of(2, 3);
        assertEquals(Shape.of(2, 5), shape.with(-1, 5));
        assertEquals(Shape.of(7, 2, 3), shape.prepend(7));
        assertEquals(Shape.of(3), shape.dropFirst(1));
        assertEquals(Shape.of(), shape.dropFirst(2));
        assertEquals(Shape.of(2, 3), shape, "shapes do not change");
        assertRefused("cannot drop 3 axes of shape 2x3", () -> shape.dropFirst(3));
    }

    @Test
    void isAValue() {
        long[] extents = {2, 3};
        Shape shape = Shape.of(extents);
        extents[0] = 9;
        shape.toArray()[0] = 9;
        assertEquals(Shape.of(2, 3), shape);
        assertEquals(Shape.of(2, 3).hashCode(), shape.hashCode());
        assertNotEquals(Shape.of(3, 2), shape);
        assertNotEquals(Shape.of(2, 3, 1), shape);
        assertEquals("2x3", shape.toString());
        assertEquals("scalar", Shape.of().toString());
    }

    @Test
    void refusesWhatCannotBeAddressed() {
        assertRefused("has a negative extent", () -> Shape.of(2, -1));
        assertRefused("rank 9, at most 8", () -> Shape.of(1, 1, 1, 1, 1, 1, 1, 1, 1));
        assertRefused("exceeds 2^63 elements", () -> Shape.of(1L << 32, 1L << 31));
        assertRefused("exceeds the int range", () -> Shape.of(1L << 31).dim(0));
        assertEquals(Integer.MAX_VALUE, Shape.of(Integer.MAX_VALUE).dim(0));
    }

    /** An empty shape has strides all the same; whether they fit must not depend on where the empty axis stands. */
    @Test
    void refusesStridesBeyondTheRangeWhereverTheEmptyAxisIs() {
        assertRefused("exceeds 2^63 elements", () -> Shape.of(0, 1L << 62, 4));
        assertRefused("exceeds 2^63 elements", () -> Shape.of(1L << 62, 4, 0));
        assertEquals(0, Shape.of(1L << 62, 0, 1).elements());
    }

    static void assertRefused(String message, Executable call) {
        String text = assertThrows(ArgumentException.class, call).getMessage();
        assertTrue(text.contains(message), "'" + text + "' does not contain '" + message + "'");
    }
}
