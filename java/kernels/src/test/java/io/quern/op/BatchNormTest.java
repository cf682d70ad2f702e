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

class BatchNormTest {
    static Stream<String> backends() {
        return SoftmaxTest.backends();
    }

    /** Two channels with means 2 and 10 and variances 1 and 5; epsilon makes the deviations 2 and 2 sqrt(2). */
    @ParameterizedTest
    @MethodSource("backends")
    void normalizesEachChannelAndUpdatesTheRunningStatistics(String backend) {
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2, 2, 2), 1, 7, 3, 9, 1, 11, 3, 13);
                Tensor gamma = Tensor.of(Shape.of(2), 4, (float) Math.sqrt(8));
                Tensor beta = Tensor.of(Shape.of(2), 100, 200);
                Tensor runningMean = Tensor.of(Shape.of(2), 0, 20);
                Tensor runningVariance = Tensor.of(Shape.of(2), 1, 1)) {
            Tape tape = new Tape(executor, workspace);
            Tensor y = BatchNorm.apply(tape, x, gamma, beta, runningMean, runningVariance, 3, 0.25);
            assertArrayEquals(new float[] {98, 197, 102, 199, 98, 201, 102, 203}, y.toFloats(), 1e-4f);
            assertArrayEquals(new float[] {0.5f, 17.5f}, runningMean.toFloats(), 1e-6f);
            // unbiased: 4/3 and 20/3
            assertArrayEquals(new float[] {0.75f + 1 / 3f, 0.75f + 5 / 3f}, runningVariance.toFloats(), 1e-6f);
        }
    }

    /** Rounding a mean of 2^20 to float would leave an error as large as the deviation. */
    @ParameterizedTest
    @MethodSource("backends")
    void keepsSmallDeviationsFromALargeMean(String backend) {
        int rows = 3000;
        try (Backend executor = Backends.of(backend, 2);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(rows, 1), new float[rows]);
                Tensor one = Tensor.of(Shape.of(1), 1);
                Tensor zero = Tensor.of(Shape.of(1), 0);
                Tensor runningMean = Tensor.of(Shape.of(1), 0);
                Tensor runningVariance = Tensor.of(Shape.of(1), 0)) {
            for (int r = 0; r < rows; r++) {
                x.set(r, 0x1p20 + (r % 2 == 0 ? 1 : -1));
            }
            Tensor y =
                    BatchNorm.apply(new Tape(executor, workspace), x, one, zero, runningMean, runningVariance, 1e-5, 1);
            assertEquals(0x1p20, runningMean.item());
            assertEquals(rows / (rows - 1.0), runningVariance.item(), 1e-3);
            assertEquals(1, y.get(0), 1e-3);
            assertEquals(-1, y.get(1), 1e-3);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void gradientsReachInputAndParameters(String backend) {
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2, 1), 1, 3);
                Tensor gamma = Tensor.of(Shape.of(1), 2);
                Tensor beta = Tensor.of(Shape.of(1), 0);
                Tensor runningMean = Tensor.of(Shape.of(1), 0);
                Tensor runningVariance = Tensor.of(Shape.of(1), 1);
                Tensor dy = Tensor.of(Shape.of(2, 1), 1, 0)) {
            Tape tape = new Tape(executor, workspace);
            tape.watch(x);
            tape.watch(gamma);
            tape.watch(beta);
            Tensor y = BatchNorm.apply(tape, x, gamma, beta, runningMean, runningVariance, 3, 0.1);
            Gradients gradients = tape.backward(Map.of(y, dy));
            assertArrayEquals(new float[] {0.375f, -0.375f}, gradients.of(x).toFloats(), 1e-6f);
            assertEquals(-0.5, gradients.of(gamma).item(), 1e-6);
            assertEquals(1, gradients.of(beta).item(), 1e-6);
        }
    }
}
