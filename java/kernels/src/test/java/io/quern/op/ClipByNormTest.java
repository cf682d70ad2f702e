package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class ClipByNormTest {
    private static float[] clipped(double limit) {
        try (Tensor x = Tensor.of(Shape.of(2), 3, 4);
                Tensor square = Tensor.of(Shape.of(), 25)) {
            ClipByNorm.OP.reference(new ClipByNorm.Args(x, square, x, limit));
            return x.toFloats();
        }
    }

    @Test
    void shortensWhatIsTooLong() {
        assertArrayEquals(new float[] {1.5f, 2}, clipped(2.5), 1e-5f);
    }

    @Test
    void leavesWhatIsShortEnough() {
        assertArrayEquals(new float[] {3, 4}, clipped(5.1));
    }
}
