package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SoftmaxCrossEntropyBackwardTest {
    static Stream<String> backends() {
        return SoftmaxTest.backends();
    }

    /** Gradient of 4 x loss with probabilities (1/4, 3/4) and (1/2, 1/2), in place. */
    private static float[] gradient(String backend, int[] labels, float[] weights, double smoothing, int ignore) {
        try (Backend executor = Backends.of(backend, 1);
                Tensor p = Tensor.of(Shape.of(2, 2), 0.25f, 0.75f, 0.5f, 0.5f);
                Tensor t = Tensor.allocate(DType.I32, Shape.of(2)).copyFrom(labels);
                Tensor w = Tensor.of(Shape.of(2), weights == null ? new float[2] : weights);
                Tensor dloss = Tensor.of(Shape.of(), 4)) {
            executor.run(
                    SoftmaxCrossEntropyBackward.OP,
                    new SoftmaxCrossEntropyBackward.Args(
                            p, t, weights == null ? null : w, dloss, p, smoothing, ignore));
            return p.toFloats();
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void isTheProbabilityLessTheTarget(String backend) {
        assertArrayEquals(new float[] {-1.5f, 1.5f, 1, -1}, gradient(backend, new int[] {0, 1}, null, 0, -100), 1e-6f);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void weightsScaleRows(String backend) {
        // factors 4 x 3 / 4 and 4 x 1 / 4
        assertArrayEquals(
                new float[] {-2.25f, 2.25f, 0.5f, -0.5f},
                gradient(backend, new int[] {0, 1}, new float[] {3, 1}, 0, -100),
                1e-6f);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void smoothingMovesTheTarget(String backend) {
        // targets 3/4 and 1/4; the second row is at its target's mirror image
        assertArrayEquals(
                new float[] {-1, 1, 0.5f, -0.5f}, gradient(backend, new int[] {0, 1}, null, 0.5, -100), 1e-6f);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void ignoredRowsGetZero(String backend) {
        assertArrayEquals(new float[] {-3, 3, 0, 0}, gradient(backend, new int[] {0, -100}, null, 0, -100), 1e-6f);
        assertArrayEquals(new float[4], gradient(backend, new int[] {9, 9}, null, 0.1, 9));
        assertArrayEquals(new float[4], gradient(backend, new int[] {1, 1}, new float[] {1, 0}, 0.1, 9), 0);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aLabelOutsideTheClassesIsRefused(String backend) {
        assertThrows(ArgumentException.class, () -> gradient(backend, new int[] {0, 2}, null, 0, -100));
    }
}
