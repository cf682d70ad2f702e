package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class BroadcastTest {
    private static float[] repeated(Shape x, Shape y, double scale, int first, int last) {
        try (Tensor from = Tensor.of(x, 1, 2, 3, 4);
                Tensor to = Tensor.allocate(DType.F32, y)) {
            Broadcast.OP.reference(new Broadcast.Args(from, to, scale, first, last));
            return to.toFloats();
        }
    }

    @Test
    void repeatsElementsAlongTheLastAxis() {
        assertArrayEquals(
                new float[] {10, 10, 20, 20, 30, 30, 40, 40}, repeated(Shape.of(4), Shape.of(4, 2), 10, 1, 1));
    }

    @Test
    void repeatsRowsAlongTheFirstAxis() {
        assertArrayEquals(new float[] {1, 2, 3, 4, 1, 2, 3, 4}, repeated(Shape.of(4), Shape.of(2, 4), 1, 0, 0));
    }

    @Test
    void repeatsPixelsInTheMiddle() {
        assertArrayEquals(
                new float[] {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}, repeated(Shape.of(2, 2), Shape.of(2, 3, 2), 1, 1, 1));
    }
}
