package io.quern.backend.vector;

import io.quern.op.ActivationKind;

/** The functions of {@link VectorMath} for one element, operation by operation, so that tails get the same bits. */
final class ScalarMath {
    static final float LOG2_E = 0x1.715476p0f;
    /** ln 2 as the sum of two floats. */
    static final float LN2_HIGH = 0x1.62e43p-1f;

    static final float LN2_LOW = -0x1.05c61p-29f;
    /** ln 2 again, the first part so short that an exponent times it is exact. */
    static final float LN2_HEAD = 0x1.62e4p-1f;

    static final float LN2_TAIL = 0x1.7f7d1cp-20f;
    /** Adding 1.5 x 2^23 rounds to an integer, which then stands in the low bits. */
    static final float ROUND = 0x1.8p23f;

    /** e^x is less than the smallest normal float below. */
    static final float EXP_ZERO = -0x1.5d589ep6f;
    /** Bits of 1. */
    static final int ONE = 0x3f800000;
    /** Bits of a float beyond which tanh rounds to 1. */
    static final int TANH_ONE = 0x41110000;
    /** Bits of sqrt(1/2). */
    static final int SQRT_HALF = 0x3f3504f3;

    static final float E2 = 0x1.fffffep-2f;
    static final float E3 = 0x1.5554bp-3f;
    static final float E4 = 0x1.5556fcp-5f;
    static final float E5 = 0x1.122862p-7f;
    static final float E6 = 0x1.6b94a6p-10f;

    static final float L3 = 0x1.555554p-2f;
    static final float L4 = -0x1.000226p-2f;
    static final float L5 = 0x1.99a01cp-3f;
    static final float L6 = -0x1.54728ap-3f;
    static final float L7 = 0x1.22d92ep-3f;
    static final float L8 = -0x1.0d8242p-3f;
    static final float L9 = 0x1.055ec6p-3f;
    static final float L10 = -0x1.38c9dep-4f;

    /** Beyond this GELU and SILU are x or 0 in float, and their slopes 1 or 0; infinity times 0 must not be met. */
    static final float FLAT = 110f;

    /** GELU's s is taken of x (linear + cubic x^2). */
    static final float GELU_LINEAR = (float) (2 * ActivationKind.GELU_C);

    static final float GELU_CUBIC = (float) (2 * ActivationKind.GELU_C * ActivationKind.GELU_CUBIC);

    private ScalarMath() {}

    static float exp(float x) {
        if (x < EXP_ZERO) {
            return 0;
        }
        float rounded = Math.fma(x, LOG2_E, ROUND);
        float n = rounded - ROUND;
        float power = powerOfTwo(Float.floatToRawIntBits(rounded));
        return Math.fma(expm1Reduced(Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, x))), power, power);
    }

    static float sigmoid(float x) {
        float e = exp(-Math.abs(x));
        return (x < 0 ? e : 1) / (e + 1);
    }

    static float tanh(float x) {
        if (x != x) {
            return x;
        }
        float z = Float.intBitsToFloat(Math.min(Float.floatToRawIntBits(x) & Integer.MAX_VALUE, TANH_ONE)) * -2;
        float rounded = Math.fma(z, LOG2_E, ROUND);
        float n = rounded - ROUND;
        float power = powerOfTwo(Float.floatToRawIntBits(rounded));
        float m = Math.fma(expm1Reduced(Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, z))), power, power - 1);
        return Math.copySign(m / (m + 2), x);
    }

    static float log(float x) {
        if (!(x < Float.POSITIVE_INFINITY)) {
            return x;
        }
        if (x <= 0) {
            return x == 0 ? Float.NEGATIVE_INFINITY : Float.NaN;
        }
        boolean small = x < Float.MIN_NORMAL;
        int bits = Float.floatToRawIntBits(small ? x * 0x1p23f : x) - SQRT_HALF;
        float e = bits >> 23;
        e = small ? e - 23 : e;
        float f = Float.intBitsToFloat((bits & 0x007fffff) + SQRT_HALF) - 1;
        float square = f * f;
        float p = Math.fma(f, L10, L9);
        p = Math.fma(p, f, L8);
        p = Math.fma(p, f, L7);
        p = Math.fma(p, f, L6);
        p = Math.fma(p, f, L5);
        p = Math.fma(p, f, L4);
        p = Math.fma(p, f, L3);
        float low = Math.fma(p * f - 0.5f, square, e * LN2_TAIL);
        return Math.fma(e, LN2_HEAD, low + f);
    }

    static float gelu(float x) {
        return x < -FLAT ? -0f : x * sigmoid(geluArgument(x));
    }

    static float silu(float x) {
        return x < -FLAT ? -0f : x * sigmoid(x);
    }

    static float geluSlope(float x) {
        float s = sigmoid(geluArgument(x));
        float slope = Math.fma(x * x, 3 * GELU_CUBIC, GELU_LINEAR);
        return Math.abs(x) > FLAT ? s : Math.fma(x * slope * (-s + 1), s, s);
    }

    static float siluSlope(float x) {
        float s = sigmoid(x);
        return Math.abs(x) > FLAT ? s : Math.fma(x * (-s + 1), s, s);
    }

    private static float geluArgument(float x) {
        return Math.fma(x * x, GELU_CUBIC, GELU_LINEAR) * x;
    }

    private static float expm1Reduced(float r) {
        float p = Math.fma(r, E6, E5);
        p = Math.fma(p, r, E4);
        p = Math.fma(p, r, E3);
        p = Math.fma(p, r, E2);
        return Math.fma(p, r * r, r);
    }

    private static float powerOfTwo(int n) {
        return Float.intBitsToFloat((n << 23) + ONE);
    }
}
