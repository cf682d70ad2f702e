package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArgMaxTest {
    private static final float NAN = Float.NaN;
    private static final float INF = Float.POSITIVE_INFINITY;

    @Test
    void findsTheLargestOfEachRow() {
        try (Tensor x = Tensor.of(Shape.of(2, 3), 1, 5, 2, -3, -9, -4);
                Tensor y = Tensor.allocate(DType.I32, Shape.of(2))) {
            ArgMax.OP.reference(new ArgMax.Args(x, y));
            assertArrayEquals(new int[] {1, 0}, y.toInts());
        }
    }

    /** Rows long enough for whole vectors at every width: four marked values in a row of -7. */
    @ParameterizedTest
    @ValueSource(strings = {"reference", "auto"})
    void choosesTheFirstOfEqualsAndNaNAboveAll(String name) {
        float[][] marks = {{1, 3, 3, 2}, {0, -0f, 0, 0}, {-0f, 0, 0, -1}, {INF, NAN, INF, NAN}, {-INF, -7, -8, -9}};
        int[] at = {5, 18, 40, 66};
        int[] expected = {18, 5, 5, 18, 0};
        try (Backend backend = Backends.of(name, 1);
                Tensor x = Tensor.allocate(DType.F32, Shape.of(5, 67)).fill(-7);
                Tensor y = Tensor.allocate(DType.I32, Shape.of(5))) {
            for (int row = 0; row < marks.length; row++) {
                for (int mark = 0; mark < at.length; mark++) {
                    x.set(row * 67L + at[mark], marks[row][mark]);
                }
            }
            backend.run(ArgMax.OP, new ArgMax.Args(x, y));
            assertArrayEquals(expected, y.toInts());
        }
    }
}
