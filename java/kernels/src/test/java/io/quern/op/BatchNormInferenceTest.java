package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

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

class BatchNormInferenceTest {
    static Stream<String> backends() {
        return SoftmaxTest.backends();
    }

    /** One sample is enough; deviations 2 and 4. */
    @ParameterizedTest
    @MethodSource("backends")
    void usesTheGivenStatistics(String backend) {
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(1, 2), 5, 6);
                Tensor gamma = Tensor.of(Shape.of(2), 10, 20);
                Tensor beta = Tensor.of(Shape.of(2), 1, 2);
                Tensor mean = Tensor.of(Shape.of(2), 3, 4);
                Tensor variance = Tensor.of(Shape.of(2), 3, 15);
                Tensor dy = Tensor.of(Shape.of(1, 2), 1, 1)) {
            Tape tape = new Tape(executor, workspace);
            Tensor y = BatchNormInference.apply(tape, tape.watch(x), gamma, beta, mean, variance, 1);
            assertArrayEquals(new float[] {11, 12}, y.toFloats(), 1e-5f);
            Gradients gradients = tape.backward(Map.of(y, dy));
            assertArrayEquals(new float[] {5, 5}, gradients.of(x).toFloats(), 1e-5f);
        }
    }

    /** After a step with momentum 1 the running statistics are the batch's, but for the unbiased variance. */
    @ParameterizedTest
    @MethodSource("backends")
    void repeatsTrainingOnTheStatisticsOfItsBatch(String backend) {
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(3, 1), 1, 5, 9);
                Tensor gamma = Tensor.of(Shape.of(1), 2);
                Tensor beta = Tensor.of(Shape.of(1), 1);
                Tensor mean = Tensor.of(Shape.of(1), 0);
                Tensor variance = Tensor.of(Shape.of(1), 0)) {
            Tape tape = new Tape(executor, workspace);
            Tensor y = BatchNorm.apply(tape, x, gamma, beta, mean, variance, 1e-5, 1);
            variance.set(0, variance.item() * 2 / 3);
            Tensor repeated = BatchNormInference.apply(tape, x, gamma, beta, mean, variance, 1e-5);
            assertArrayEquals(y.toFloats(), repeated.toFloats(), 1e-5f);
        }
    }
}
