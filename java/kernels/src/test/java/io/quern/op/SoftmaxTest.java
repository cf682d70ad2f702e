package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SoftmaxTest {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    /** The names of the backends of this machine, for the tests of this package that are about kernels as well. */
    static Stream<String> backends() {
        return Backends.probe().stream()
                .filter(backend -> backend.available() && !backend.name().startsWith("cuda"))
                .map(Backends.Availability::name);
    }

    private static float log(double x) {
        return (float) Math.log(x);
    }

    private static float[] softmax(String backend, Shape shape, float... values) {
        try (Backend executor = Backends.of(backend, 1);
                Tensor x = Tensor.of(shape, values);
                Tensor y = Tensor.of(shape, new float[values.length])) {
            executor.run(Softmax.OP, new Softmax.Args(x, y));
            return y.toFloats();
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void dividesTheExponentialsByTheirSum(String backend) {
        assertArrayEquals(
                new float[] {0.125f, 0.25f, 0.625f, 0.5f, 0.25f, 0.25f},
                softmax(backend, Shape.of(2, 3), 0, log(2), log(5), 7 + log(2), 7, 7),
                1e-6f);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void survivesLogitsWhoseExponentialsOverflow(String backend) {
        assertArrayEquals(
                new float[] {0.5f, 0.5f, 0, 0, 1, 0},
                softmax(backend, Shape.of(2, 3), 10_000, 10_000, -10_000, -10_000, 1000, 500));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void givesMinusInfinityNothingUnlessThereIsNothingElse(String backend) {
        float[] y = softmax(backend, Shape.of(3, 2), 3, -INFINITY, -INFINITY, -INFINITY, INFINITY, 0);
        assertArrayEquals(new float[] {1, 0, Float.NaN, Float.NaN, Float.NaN, Float.NaN}, y);
    }

    @Test
    void theGradientOfOneProbability() {
        try (Backend backend = Backends.of("reference", 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2), 0, log(3));
                Tensor first = Tensor.of(Shape.of(2), 1, 0)) {
            Tape tape = new Tape(backend, workspace);
            Tensor y = Softmax.apply(tape, tape.watch(x));
            assertEquals(0.25, y.get(0), 1e-7);
            Gradients gradients = tape.backward(java.util.Map.of(y, first));
            assertArrayEquals(new float[] {0.1875f, -0.1875f}, gradients.of(x).toFloats(), 1e-7f);
        }
    }
}
