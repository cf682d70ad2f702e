package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.LayerNorm;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows in registers and longer ones, whose elements are f32 on the way although their statistics are double. */
class LayerNormCudaTest extends OnEveryCudaDevice {
    /** A quarter of the row is 3 deviations above the mean, the rest one below; squares of 10^25 are no floats. */
    @ParameterizedTest
    @CsvSource({
        "F32, 1000, 1048576, 1",
        "F32, 1304, 1048576, 1",
        "F32, 1000, 0, 1e25",
        "F32, 1304, 0, 1e25",
        "BF16, 1000, 128, 1",
        "BF16, 1304, 128, 1",
        "BF16, 1000, 0, 0x1p83",
        "BF16, 1304, 0, 0x1p83",
        "F32, 700, -7, 0x1p-60",
        "F32, 699, 3, 0",
        "F32, 700, 0, 1e-25",
        "F32, 1000, 0, 1e38",
        "BF16, 1000, 1e38, 0x1p100",
        "BF16, 1000, 1e38, 0"
    })
    void keepsDeviationsBesideAnyMean(DType dtype, int n, double mean, double deviation) {
        try (CudaBackend backend = device.open();
                Tensor x = row(dtype, n, mean, deviation);
                Tensor ones = Tensor.allocate(DType.F32, Shape.of(n)).fill(1);
                Tensor zeros = Tensor.allocate(DType.F32, Shape.of(n));
                Tensor there = x.copyTo(backend.memory());
                Tensor gamma = ones.copyTo(backend.memory());
                Tensor beta = zeros.copyTo(backend.memory());
                Tensor y = Tensor.allocate(backend.memory(), dtype, x.shape());
                Tensor middle = Tensor.allocate(backend.memory(), DType.F32, Shape.of(1));
                Tensor inverse = Tensor.allocate(backend.memory(), DType.F32, Shape.of(1))) {
            backend.run(LayerNorm.OP, new LayerNorm.Args(there, gamma, beta, y, middle, inverse, 1e-30));
            double average = mean(x);
            double scale = 1 / Math.sqrt(variance(x) + 1e-30);
            double close = dtype == DType.BF16 ? 0x1p-7 : 2e-6; // results are between -1 and 2
            assertEquals(average, middle.toFloats()[0], 1e-7 * (Math.abs(average) + 1 / scale));
            assertEquals(1, inverse.toFloats()[0] / scale, 1e-6);
            float[] values = y.toFloats();
            for (int i = 0; i < n; i++) {
                assertEquals((x.get(i) - average) * scale, values[i], close, "element " + i);
            }
        }
    }

    private static Tensor row(DType dtype, int n, double mean, double deviation) {
        Tensor x = Tensor.allocate(dtype, Shape.of(1, n));
        for (int i = 0; i < n; i++) {
            x.set(i, mean + (i % 4 == 0 ? 3 : -1) * deviation);
        }
        return x;
    }

    private static double mean(Tensor x) {
        double sum = 0;
        for (int i = 0; i < x.elements(); i++) {
            sum += x.get(i);
        }
        return sum / x.elements();
    }

    private static double variance(Tensor x) {
        double mean = mean(x);
        double squares = 0;
        for (int i = 0; i < x.elements(); i++) {
            squares += (x.get(i) - mean) * (x.get(i) - mean);
        }
        return squares / x.elements();
    }
}
