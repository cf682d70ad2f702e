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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EmbeddingTest {
    @Test
    void looksUpRows() {
        try (Tensor table = Tensor.of(Shape.of(3, 2), 0, 1, 10, 11, 20, 21);
                Tensor indices = Tensor.allocate(DType.I32, Shape.of(2, 2)).copyFrom(new int[] {2, 0, 1, 2});
                Tensor y = Tensor.allocate(DType.F32, Shape.of(2, 2, 2))) {
            Embedding.OP.reference(new Embedding.Args(table, indices, y));
            assertArrayEquals(new float[] {20, 21, 0, 1, 10, 11, 20, 21}, y.toFloats());
        }
    }

    /** The indices are data, so they are checked when the op runs. */
    @ParameterizedTest
    @MethodSource("backends")
    void namesAnIndexOutsideTheTableAndWritesNothing(String name) {
        try (Backend backend = Backends.of(name, 1);
                Tensor table = Tensor.of(Shape.of(3, 1), 0, 1, 2);
                Tensor indices = Tensor.allocate(DType.I32, Shape.of(2));
                Tensor y = Tensor.of(Shape.of(2, 1), 7, 7)) {
            for (int bad : new int[] {3, -1, Integer.MIN_VALUE}) {
                indices.copyFrom(new int[] {0, bad});
                ArgumentException e = assertThrows(
                        ArgumentException.class,
                        () -> backend.run(Embedding.OP, new Embedding.Args(table, indices, y)));
                assertEquals("Embedding: index " + bad + " at position 1 is outside a table of 3 rows", e.getMessage());
            }
            assertArrayEquals(new float[] {7, 7}, y.toFloats());
        }
    }

    static Stream<String> backends() {
        return Backends.probe().stream()
                .filter(backend -> backend.available() && !backend.name().startsWith("cuda"))
                .map(Backends.Availability::name);
    }
}
