package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LayerNormTest {
    static Stream<String> backends() {
        return SoftmaxTest.backends();
    }

    /** Means 2 and 20, variances 1 and 0, of which epsilon makes the deviations 2 and sqrt(3). */
    @ParameterizedTest
    @MethodSource("backends")
    void normalizesEachRowByItself(String backend) {
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2, 2), 1, 3, 20, 20);
                Tensor gamma = Tensor.of(Shape.of(2), 2, 4);
                Tensor beta = Tensor.of(Shape.of(2), 10, 20);
                Tensor dy = Tensor.of(Shape.of(2, 2), 1, 1, 0, 0)) {
            Tape tape = new Tape(executor, workspace);
            tape.watch(x);
            tape.watch(gamma);
            tape.watch(beta);
            Tensor y = LayerNorm.apply(tape, x, gamma, beta, 3);
            assertArrayEquals(new float[] {9, 22, 10, 20}, y.toFloats(), 1e-5f);
            Gradients gradients = tape.backward(Map.of(y, dy));
            assertArrayEquals(
                    new float[] {-0.375f, 0.375f, 0, 0}, gradients.of(x).toFloats(), 1e-6f);
            assertArrayEquals(new float[] {-0.5f, 0.5f}, gradients.of(gamma).toFloats(), 1e-6f);
            assertArrayEquals(new float[] {1, 1}, gradients.of(beta).toFloats(), 1e-6f);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void keepsSmallDeviationsFromALargeMean(String backend) {
        int n = 1000;
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(n), new float[n]);
                Tensor gamma = Tensor.of(Shape.of(n), new float[n]).fill(1);
                Tensor beta = Tensor.of(Shape.of(n), new float[n])) {
            for (int i = 0; i < n; i++) {
                x.set(i, 0x1p20 + (i % 2 == 0 ? 1 : -1));
            }
            Tensor y = LayerNorm.apply(new Tape(executor, workspace), x, gamma, beta, 1e-5);
            assertEquals(1, y.get(0), 1e-3);
            assertEquals(-1, y.get(n - 1), 1e-3);
        }
    }
}
