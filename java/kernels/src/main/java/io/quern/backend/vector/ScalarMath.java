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

    /** Beyond this SILU is x or 0 in float, and slopes 1 or 0; infinity times 0 must not be met. */
    static final float FLAT = 110f;

    /** 2^t = 1 + t (P1 + t (P2 + ...)) for |t| <= 1/2, within 1.6 x 2^-24: minimax of the relative error. */
    static final float P1 = 0x1.62e42ap-1f;

    static final float P2 = 0x1.ebf9bcp-3f;
    static final float P3 = 0x1.c6b752p-5f;
    static final float P4 = 0x1.3cea88p-7f;
    static final float P5 = 0x1.5bba14p-10f;

    /** GELU = x / (1 + 2^t) with t = x (linear + cubic x^2): a power of 2 needs no multiple of ln 2 taken from its exponent. */
    static final float GELU_LINEAR_2 = (float) (-2 * ActivationKind.GELU_C / Math.log(2));

    static final float GELU_CUBIC_2 = (float) (-2 * ActivationKind.GELU_C * ActivationKind.GELU_CUBIC / Math.log(2));
    /** Where t is more, GELU is below four times the smallest normal float, and taken for 0; 2^t is finite up to there. */
    static final float GELU_ZERO = 127.4f;
    /** Bits of -126: where t is less, 1 + 2^t is 1. As unsigned integers, what is greater is less as floats, or NaN. */
    static final int GELU_ONE = 0xc2fc0000;

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
        float t = Math.fma(x * x, GELU_CUBIC_2, GELU_LINEAR_2) * x;
        if (t > GELU_ZERO) {
            return -0f;
        }
        int bits = Float.floatToRawIntBits(t);
        t = Float.intBitsToFloat(Integer.compareUnsigned(bits, GELU_ONE) < 0 ? bits : GELU_ONE);
        float rounded = t + ROUND;
        float r = t - (rounded - ROUND);
        float p = Math.fma(r, P5, P4);
        p = Math.fma(p, r, P3);
        p = Math.fma(p, r, P2);
        p = Math.fma(p, r, P1);
        p = Math.fma(p, r, 1);
        int power = Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(rounded) << 23);
        return x / (Float.intBitsToFloat(power) + 1);
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
