package io.quern.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the comparison before timing lets pass: the rounding of results, and no kernel that writes zeros. */
class VerifyTest {
    @ParameterizedTest
    @CsvSource({
        "softmax,f32",
        "softmax,bf16",
        "backward,f32",
        "backward,bf16",
        "cross-entropy,f32",
        "cross-entropy,bf16"
    })
    void smallResultsAreNotZeros(String op, String type) {
        SoftmaxBench bench = new SoftmaxBench();
        bench.threads = 1;
        bench.op = op;
        bench.size = "64x1000";
        bench.type = type;
        refusesZeros(bench);
    }

    @ParameterizedTest
    @CsvSource({"f32,64", "bf16,64", "f32,1000", "bf16,1000"})
    void spreadGradientsAreNotZeros(String type, int extent) {
        BroadcastBench bench = new BroadcastBench();
        bench.threads = 1;
        bench.size = "3x" + extent + "x5";
        bench.type = type;
        refusesZeros(bench);
    }

    private static void refusesZeros(OpBench bench) {
        try (Contest contest = bench.open()) {
            contest.reset();
            contest.runOnHost();
            Tensor expected = contest.results().getFirst();
            assertDoesNotThrow(() -> Verify.close("itself", expected, expected, contest.tolerance()));
            try (Tensor zeros = Tensor.allocate(expected.dtype(), expected.shape())) {
                zeros.fill(0);
                assertThrows(
                        IllegalStateException.class, () -> Verify.close("zeros", zeros, expected, contest.tolerance()));
                // wrong by a tenth alone
                for (long i = 0; i < expected.elements(); i++) {
                    zeros.set(i, 0.9 * expected.get(i));
                }
                assertThrows(
                        IllegalStateException.class,
                        () -> Verify.close("nine tenths", zeros, expected, contest.tolerance()));
            }
        }
    }

    @Test
    void aStepOfBf16IsRelative() {
        Tolerance rounded = new Tolerance(1e-6, 1e-5).inBf16();
        assertTrue(rounded.holds(1 + 1 / 128.0, 1));
        assertFalse(rounded.holds(1 + 2 / 128.0, 1));
        assertTrue(rounded.holds(0x1p-10 + 0x1p-17, 0x1p-10));
        assertFalse(rounded.holds(0, 0x1p-10));
        assertFalse(rounded.holds(Double.NaN, 1));
    }

    @Test
    void whatIsExactStaysExact() {
        assertTrue(Tolerance.EXACT.inBf16().holds(1, 1));
        assertFalse(Tolerance.EXACT.inBf16().holds(1 + 1 / 128.0, 1));
    }
}
