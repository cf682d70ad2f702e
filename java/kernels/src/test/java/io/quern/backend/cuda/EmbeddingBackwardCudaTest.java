package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.op.EmbeddingBackward;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each row of the gradient has the bits of a sum in F32 in the order of positions, by a warp or by a block. */
class EmbeddingBackwardCudaTest extends OnEveryCudaDevice {
    private static final int COUNT = 1500;
    private static final int ROWS = 900;

    /** 750 times row 0, 33 times row 1, 32 times row 2, 31 times row 3; most others once or never. */
    private static int[] numbers() {
        int[] numbers = new int[COUNT];
        Rng rng = Rng.of(5);
        for (int i = 0; i < COUNT; i++) {
            numbers[i] = i % 2 == 0 ? 0 : 4 + rng.below(i, ROWS - 4);
        }
        int[] times = {33, 32, 31};
        for (int row = 1; row <= times.length; row++) {
            for (int i = 0; i < times[row - 1]; i++) {
                numbers[(3 * i + row) * 14 + 1] = row;
            }
        }
        return numbers;
    }

    @ParameterizedTest
    @CsvSource({"F32, 5", "F32, 24", "F32, 1540", "BF16, 5", "BF16, 24", "BF16, 1544"})
    void sumsInTheOrderOfPositions(DType dtype, int width) {
        int[] numbers = numbers();
        try (CudaBackend backend = device.open();
                Tensor dy = Rng.of(7).fillUniform(Tensor.allocate(dtype, Shape.of(COUNT, width)), -1, 1);
                Tensor indices = Tensor.allocate(backend.memory(), DType.I32, Shape.of(COUNT));
                Tensor there = dy.copyTo(backend.memory());
                Tensor dtable = Tensor.allocate(backend.memory(), dtype, Shape.of(ROWS, width));
                Tensor expected = Tensor.allocate(dtype, Shape.of(ROWS, width))) {
            float[] values = dy.toFloats();
            float[] sums = new float[ROWS * width];
            for (int i = 0; i < values.length; i++) {
                sums[numbers[i / width] * width + i % width] += values[i];
            }
            for (int i = 0; i < sums.length; i++) {
                expected.set(i, sums[i]);
            }
            indices.copyFrom(numbers);
            backend.run(EmbeddingBackward.OP, new EmbeddingBackward.Args(indices, there, dtable));
            float[] found = dtable.toFloats();
            float[] wanted = expected.toFloats();
            for (int row = 0; row < ROWS; row++) {
                assertArrayEquals(
                        Arrays.copyOfRange(wanted, row * width, (row + 1) * width),
                        Arrays.copyOfRange(found, row * width, (row + 1) * width),
                        "row " + row + " of " + ROWS + "x" + width + " in " + dtype);
            }
        }
    }

    /** More rows than blocks: a block has two of them. */
    @Test
    void manyFrequentRows() {
        int rows = EmbeddingBackwardCuda.FREQUENT_BLOCKS + 3;
        int times = 33;
        int[] numbers = new int[rows * times];
        float[] expected = new float[rows];
        float[] values = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (int) (i * 7L % rows);
            values[i] = i % 101;
            expected[numbers[i]] += values[i];
        }
        try (CudaBackend backend = device.open();
                Tensor indices = Tensor.allocate(backend.memory(), DType.I32, Shape.of(numbers.length));
                Tensor dy = Tensor.allocate(backend.memory(), DType.F32, Shape.of(numbers.length, 1));
                Tensor dtable = Tensor.allocate(backend.memory(), DType.F32, Shape.of(rows, 1))) {
            indices.copyFrom(numbers);
            dy.copyFrom(values);
            backend.run(EmbeddingBackward.OP, new EmbeddingBackward.Args(indices, dy, dtable));
            assertArrayEquals(expected, dtable.toFloats());
        }
    }
}
