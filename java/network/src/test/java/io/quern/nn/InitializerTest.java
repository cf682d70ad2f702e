package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InitializerTest {
    private static final int N = 20_000;

    /** With fanIn 50 and fanOut 150: He variance 0.04, Glorot variance 0.01. */
    @ParameterizedTest
    @CsvSource({"HE_NORMAL,0.04", "HE_UNIFORM,0.04", "GLOROT_NORMAL,0.01", "GLOROT_UNIFORM,0.01"})
    void meanIsZeroAndVarianceAsDefined(Initializer initializer, double variance) {
        try (Tensor t = Tensor.allocate(DType.F64, Shape.of(N))) {
            initializer.fill(t, Rng.of(4).stream(1), 50, 150);
            double sum = 0;
            double squares = 0;
            double largest = 0;
            for (long i = 0; i < N; i++) {
                sum += t.get(i);
                squares += t.get(i) * t.get(i);
                largest = Math.max(largest, Math.abs(t.get(i)));
            }
            double deviation = Math.sqrt(variance);
            assertEquals(0, sum / N, 5 * deviation / Math.sqrt(N));
            assertEquals(variance, squares / N, 5 * variance * Math.sqrt(2.0 / N));
            if (initializer.name().endsWith("UNIFORM")) {
                assertTrue(largest <= Math.sqrt(3) * deviation && largest > 1.73 * deviation, "" + largest);
            } else {
                assertTrue(largest > 3 * deviation, "tails: " + largest);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"ZEROS,0", "ONES,1"})
    void constants(Initializer initializer, double value) {
        try (Tensor t = Tensor.allocate(DType.F32, Shape.of(3))) {
            initializer.fill(t.fill(9), Rng.of(1), 1, 1);
            assertEquals(value, t.get(0));
            assertEquals(value, t.get(2));
        }
    }
}
