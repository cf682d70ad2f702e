package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EmbeddingBackwardTest {
    @Test
    void sumsTheGradientsOfEachRowAndClearsTheRest() {
        try (Tensor indices = Tensor.allocate(DType.I32, Shape.of(3)).copyFrom(new int[] {2, 0, 2});
                Tensor dy = Tensor.of(Shape.of(3, 2), 1, 2, 10, 20, 100, 200);
                Tensor dtable = Tensor.allocate(DType.F32, Shape.of(3, 2)).fill(Double.NaN)) {
            EmbeddingBackward.OP.reference(new EmbeddingBackward.Args(indices, dy, dtable));
            assertArrayEquals(new float[] {10, 20, 0, 0, 101, 202}, dtable.toFloats());
        }
    }

    @ParameterizedTest
    @MethodSource("io.quern.op.EmbeddingTest#backends")
    void namesAnIndexOutsideTheTableAndWritesNothing(String name) {
        try (Backend backend = Backends.of(name, 1);
                Tensor indices = Tensor.allocate(DType.I32, Shape.of(2)).copyFrom(new int[] {1, 2});
                Tensor dy = Tensor.of(Shape.of(2, 1), 1, 1);
                Tensor dtable = Tensor.of(Shape.of(2, 1), 7, 7)) {
            ArgumentException e = assertThrows(
                    ArgumentException.class,
                    () -> backend.run(EmbeddingBackward.OP, new EmbeddingBackward.Args(indices, dy, dtable)));
            assertEquals("EmbeddingBackward: index 2 at position 1 is outside a table of 2 rows", e.getMessage());
            assertArrayEquals(new float[] {7, 7}, dtable.toFloats());
        }
    }
}
