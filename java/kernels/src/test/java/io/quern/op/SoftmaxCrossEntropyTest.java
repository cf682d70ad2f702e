package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SoftmaxCrossEntropyTest {
    private static final int IGNORE = SoftmaxCrossEntropy.IGNORE;
    /** Two classes with probabilities 1/4 and 3/4, then 1/2 and 1/2. */
    private static final float[] LOGITS = {0, (float) Math.log(3), 5, 5};

    private static final double QUARTER = -Math.log(0.25);
    private static final double HALF = -Math.log(0.5);
    private static final double THREE_QUARTERS = -Math.log(0.75);

    static Stream<String> backends() {
        return SoftmaxTest.backends();
    }

    /** Loss of rows of two classes. */
    private static double loss(
            String backend, float[] logits, int[] labels, float[] weights, double smoothing, int ignore) {
        try (Backend executor = Backends.of(backend, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(labels.length, 2), logits);
                Tensor t = Tensor.allocate(DType.I32, Shape.of(labels.length))) {
            t.copyFrom(labels);
            Tape tape = new Tape(executor, workspace);
            Tensor w = weights == null
                    ? null
                    : tape.allocate(DType.F32, Shape.of(2)).copyFrom(weights);
            return SoftmaxCrossEntropy.apply(tape, x, t, w, smoothing, ignore)
                    .loss()
                    .item();
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void isTheMeanOfMinusLogOfTheLabelsProbability(String backend) {
        assertEquals((THREE_QUARTERS + HALF) / 2, loss(backend, LOGITS, new int[] {1, 0}, null, 0, IGNORE), 1e-6);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void weightsDivideByTheWeightOfTheLabels(String backend) {
        double expected = (3 * QUARTER + 1 * HALF) / (3 + 1);
        assertEquals(expected, loss(backend, LOGITS, new int[] {0, 1}, new float[] {3, 1}, 0, IGNORE), 1e-6);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void smoothingSpreadsAPartOverAllClasses(String backend) {
        double expected = 0.8 * THREE_QUARTERS + 0.1 * (QUARTER + THREE_QUARTERS);
        assertEquals(expected, loss(backend, new float[] {0, LOGITS[1]}, new int[] {1}, null, 0.2, IGNORE), 1e-6);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void smoothingWeighsEachClassAndDividesAsWithoutIt(String backend) {
        double smooth = (3 * QUARTER + THREE_QUARTERS) + (3 * HALF + HALF);
        double plain = 3 * QUARTER + 1 * HALF;
        double expected = (0.8 * plain + 0.1 * smooth) / (3 + 1);
        assertEquals(expected, loss(backend, LOGITS, new int[] {0, 1}, new float[] {3, 1}, 0.2, IGNORE), 1e-6);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void ignoredRowsDoNotCountWhateverTheyHold(String backend) {
        float[] logits = {0, LOGITS[1], Float.NaN, 5};
        assertEquals(THREE_QUARTERS, loss(backend, logits, new int[] {1, IGNORE}, null, 0.0, IGNORE), 1e-6);
        assertEquals(QUARTER, loss(backend, logits, new int[] {0, 1}, new float[] {2, 1}, 0.0, 1), 1e-6);
        assertEquals(0, loss(backend, LOGITS, new int[] {7, 7}, null, 0.1, 7), "no row counts");
        assertEquals(0, loss(backend, LOGITS, new int[] {0, 0}, new float[] {0, 1}, 0.1, 7), "no row has weight");
    }

    @ParameterizedTest
    @MethodSource("backends")
    void survivesLogitsWhoseExponentialsOverflow(String backend) {
        assertEquals(20_000, loss(backend, new float[] {10_000, -10_000}, new int[] {1}, null, 0, IGNORE));
        assertEquals(0, loss(backend, new float[] {10_000, -10_000}, new int[] {0}, null, 0, IGNORE));
        float[] impossible = {Float.NEGATIVE_INFINITY, 0};
        assertEquals(Double.POSITIVE_INFINITY, loss(backend, impossible, new int[] {0}, null, 0, IGNORE));
        assertEquals(0, loss(backend, impossible, new int[] {1}, null, 0, IGNORE));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aLabelOutsideTheClassesIsNamedWithItsRow(String backend) {
        ArgumentException tooLarge =
                assertThrows(ArgumentException.class, () -> loss(backend, LOGITS, new int[] {0, 2}, null, 0, IGNORE));
        assertEquals(
                "SoftmaxCrossEntropy: label 2 of row 1 is outside 0..1; correct it or give it the ignore index -100",
                tooLarge.getMessage());
        assertThrows(ArgumentException.class, () -> loss(backend, LOGITS, new int[] {-1, 0}, null, 0, IGNORE));
    }

    @Test
    void theGradientIsTheProbabilityLessTheTarget() {
        try (Backend backend = Backends.of("reference", 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2, 2), LOGITS);
                Tensor t = Tensor.allocate(DType.I32, Shape.of(2))) {
            Tape tape = new Tape(backend, workspace);
            SoftmaxCrossEntropy.Result result = SoftmaxCrossEntropy.apply(tape, tape.watch(x), t);
            assertArrayEquals(
                    new float[] {0.25f, 0.75f, 0.5f, 0.5f},
                    result.probabilities().toFloats(),
                    1e-7f);
            Gradients gradients = tape.backward(result.loss());
            assertArrayEquals(
                    new float[] {-0.375f, 0.375f, -0.25f, 0.25f},
                    gradients.of(x).toFloats(),
                    1e-7f);
        }
    }

    /** In BF16, the probability 0.9999 would be 1, and nothing left to learn. */
    @Test
    void aNearlyCertainRowOfBf16LogitsHasAGradient() {
        try (Backend backend = Backends.of("reference", 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor logits = Tensor.allocate(DType.BF16, Shape.of(1, 2)).copyFrom(new float[] {0, 9});
                Tensor labels = Tensor.allocate(DType.I32, Shape.of(1)).fill(1)) {
            Tape tape = new Tape(backend, workspace);
            Tensor loss =
                    SoftmaxCrossEntropy.apply(tape, tape.watch(logits), labels).loss();
            assertEquals(DType.F32, loss.dtype());
            Tensor gradient = tape.backward(loss).of(logits);
            assertEquals(DType.BF16, gradient.dtype());
            double rest = 1 / (1 + Math.exp(9));
            assertEquals(rest, gradient.get(0), rest * DType.BF16.unitRoundoff());
            assertEquals(-rest, gradient.get(1), rest * DType.BF16.unitRoundoff() + 1e-7);
        }
    }
}
