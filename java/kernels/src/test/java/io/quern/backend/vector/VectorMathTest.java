package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.ActivationKind;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** Floats of every sign and exponent, by their bits in steps of a prime. */
class VectorMathTest {
    private static final int STEP = 131_071;

    private interface FloatFunction {
        float apply(float x);
    }

    private static void check(
            FloatFunction scalar, UnaryOperator<FloatVector> vector, DoubleUnaryOperator exact, double ulps) {
        check(0, scalar, vector, exact, ulps);
    }

    /** @param first bits of the first float: the negative ones come last */
    private static void check(
            long first,
            FloatFunction scalar,
            UnaryOperator<FloatVector> vector,
            DoubleUnaryOperator exact,
            double ulps) {
        float[] x = new float[Lanes.FLOATS];
        float[] y = new float[Lanes.FLOATS];
        float[] twin = new float[Lanes.FLOATS];
        for (long bits = first; bits < 1L << 32; bits += (long) STEP * Lanes.FLOATS) {
            for (int lane = 0; lane < x.length; lane++) {
                x[lane] = Float.intBitsToFloat((int) (bits + (long) STEP * lane));
                twin[lane] = scalar.apply(x[lane]);
            }
            vector.apply(FloatVector.fromArray(Lanes.F, x, 0)).intoArray(y, 0);
            assertArrayEquals(twin, y, "vector and scalar at " + x[0]);
            for (int lane = 0; lane < x.length; lane++) {
                double expected = exact.applyAsDouble(x[lane]);
                float rounded = (float) expected;
                double allowed = Float.isFinite(rounded) ? ulps * Math.ulp(rounded) : 0;
                assertEquals(expected, y[lane] == rounded ? expected : y[lane], allowed, "f(" + x[lane] + ")");
            }
        }
    }

    @Test
    void exp() {
        check(1L << 31, ScalarMath::exp, VectorMath::exp, x -> flushed(Math.exp(x)), 1.1);
    }

    @Test
    void sigmoid() {
        check(ScalarMath::sigmoid, VectorMath::sigmoid, x -> flushed(1 / (1 + Math.exp(-x))), 2.5);
    }

    private static double flushed(double value) {
        return value < Float.MIN_NORMAL ? 0 : value;
    }

    @Test
    void tanh() {
        check(ScalarMath::tanh, VectorMath::tanh, Math::tanh, 2.5);
    }

    @Test
    void log() {
        check(ScalarMath::log, VectorMath::log, Math::log, 1);
    }

    /** The vector and the scalar form of what activations are made of; the conformance tests know how exact they are. */
    @Test
    void activationsHaveTheSameBitsInTails() {
        check(ScalarMath::gelu, VectorMath::gelu, x -> ScalarMath.gelu((float) x), 0);
        check(ScalarMath::silu, VectorMath::silu, x -> ScalarMath.silu((float) x), 0);
        check(ScalarMath::geluSlope, VectorMath::geluSlope, x -> ScalarMath.geluSlope((float) x), 0);
        check(ScalarMath::siluSlope, VectorMath::siluSlope, x -> ScalarMath.siluSlope((float) x), 0);
    }

    /** Where it becomes 0, and before: within the bound of the op, which leaves 2^-124 beside 0, and of what the rounding of t = 126 costs. */
    @Test
    void geluIsExactUntilItIsZero() {
        double c = ActivationKind.GELU_C, cubic = ActivationKind.GELU_CUBIC;
        for (float x = -10.2f; x < -9.8f; x += 0.0007f) {
            double exact = x / (1 + Math.exp(-2 * c * x * (1 + cubic * x * x)));
            double allowed = 0x1p-124 + 512 * 0x1p-24 * Math.abs(exact);
            assertEquals(exact, ScalarMath.gelu(x), allowed, "gelu(" + x + ")");
        }
    }

    /** Two vectors side by side, then one, then single elements; every value comes to each of them but the last. */
    @Test
    void geluOfPairsOfVectorsHasTheSameBits() {
        float flat = ScalarMath.FLAT, infinity = Float.POSITIVE_INFINITY;
        float[] special = {
            0f,
            -0f,
            flat,
            -flat,
            Math.nextUp(flat),
            Math.nextDown(-flat),
            Math.nextDown(flat),
            Math.nextUp(-flat),
            infinity,
            -infinity,
            Float.NaN,
            Float.MAX_VALUE,
            -Float.MAX_VALUE,
            Float.MIN_VALUE,
            -Float.MIN_VALUE,
            1f
        };
        int steps = (int) ((1L << 32) / STEP), count = 3 * Lanes.FLOATS + 3;
        float[] values = Arrays.copyOf(special, special.length + steps);
        for (int i = 0; i < steps; i++) {
            values[special.length + i] = Float.intBitsToFloat((int) ((long) STEP * i));
        }
        float[] expected = new float[count];
        try (Tensor x = Tensor.allocate(DType.F32, Shape.of(count));
                Tensor y = Tensor.allocate(DType.F32, Shape.of(count))) {
            for (int first = 0; first < values.length; first += Lanes.FLOATS) {
                for (int i = 0; i < count; i++) {
                    float value = values[(first + i) % values.length];
                    Floats.set(x.address() + 4L * i, value);
                    expected[i] = ScalarMath.gelu(value);
                }
                ActivationVector.apply(ActivationKind.GELU, x.address(), y.address(), count);
                assertArrayEquals(expected, y.toFloats(), "from value " + first + ", " + values[first]);
            }
        }
    }

    /** The ends of the ranges. */
    @Test
    void limits() {
        assertEquals(1, ScalarMath.exp(0));
        assertEquals(1, ScalarMath.exp(-0f));
        float smallest = -0x1.5d589ep6f;
        assertEquals(Math.exp(smallest), ScalarMath.exp(smallest), 1.1 * Float.MIN_VALUE);
        assertEquals(0, ScalarMath.exp(Math.nextDown(smallest)));
        assertEquals(0, ScalarMath.exp(Float.NEGATIVE_INFINITY));
        assertEquals(1, ScalarMath.tanh(Float.POSITIVE_INFINITY));
        assertEquals(-0f, ScalarMath.tanh(-0f));
        assertEquals(Float.NEGATIVE_INFINITY, ScalarMath.log(-0f));
        assertEquals(Float.NaN, ScalarMath.log(-1));
    }
}
