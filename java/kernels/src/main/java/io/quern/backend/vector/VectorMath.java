package io.quern.backend.vector;

import static io.quern.backend.vector.ScalarMath.*;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.FMA;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.UMIN;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Elementary functions on vectors, by range reduction and a polynomial; {@link ScalarMath} has the same bits for tails.
 *
 * <p>Inline, because a call of the vector mathematics library would spill every register and cannot be fused. Range
 * reduction after Muller, "Elementary Functions", chapter 11; minimax coefficients fitted for these intervals.
 *
 * <p>C2 inlines ordinary methods only until a compilation has 18 000 nodes, about 40 vector operations; past that, a
 * helper that takes or returns a vector allocates it. Nearly all of the API's own methods are exempt. So a loop around these functions
 * holds one copy of one of them, and what follows the call is written with the API, not with helpers.
 *
 * <p>Reading a scalar from memory is 600 nodes, and two of the JDK's methods on its way, {@code Unsafe.getIntUnaligned} and
 * {@code convEndian}, are not exempt: of a read at which the limit is passed, which depends on what else the JVM has run, a call
 * may be left, and every sum is spilled around it. So tiles of many rows read all scalars of a step before their multiply-adds, which are exempt throughout.
 */
final class VectorMath {
    private VectorMath() {}

    /** e^x within 1.1 ulp for x <= 0; 0 where the result would be less than the smallest normal float. */
    static FloatVector exp(FloatVector x) {
        FloatVector rounded = x.fma(LOG2_E, ROUND);
        FloatVector power = powerOfTwo(rounded.reinterpretAsInts());
        return expm1Reduced(reduced(x, rounded.sub(ROUND))).fma(power, power).blend(0f, x.compare(LT, EXP_ZERO));
    }

    /** 1 / (1 + e^-x) within 2.5 ulp; 0 where it would be less than the smallest normal float. */
    static FloatVector sigmoid(FloatVector x) {
        FloatVector e = exp(x.reinterpretAsInts().or(Integer.MIN_VALUE).reinterpretAsFloats());
        return FloatVector.broadcast(Lanes.F, 1f).blend(e, x.compare(LT, 0f)).div(e.add(1f));
    }

    /** tanh x within 2.5 ulp: -m / (m + 2) with m = e^(-2|x|) - 1. */
    static FloatVector tanh(FloatVector x) {
        FloatVector z = x.reinterpretAsInts()
                .and(Integer.MAX_VALUE)
                .min(TANH_ONE)
                .reinterpretAsFloats()
                .mul(-2f);
        FloatVector rounded = z.fma(LOG2_E, ROUND);
        FloatVector n = rounded.sub(ROUND);
        FloatVector power = powerOfTwo(rounded.reinterpretAsInts());
        FloatVector m = expm1Reduced(reduced(z, n)).fma(power, power.sub(1f));
        IntVector sign = x.reinterpretAsInts().and(Integer.MIN_VALUE);
        FloatVector y = m.div(m.add(2f))
                .reinterpretAsInts()
                .and(Integer.MAX_VALUE)
                .or(sign)
                .reinterpretAsFloats();
        return y.blend(x, x.compare(NE, x));
    }

    /** ln x within 1 ulp; NaN below 0. */
    static FloatVector log(FloatVector x) {
        var small = x.compare(LT, Float.MIN_NORMAL);
        IntVector bits = x.blend(x.mul(0x1p23f), small).reinterpretAsInts().sub(SQRT_HALF);
        FloatVector e = ((FloatVector) bits.lanewise(ASHR, 23).convert(I2F, 0));
        e = e.blend(e.sub(23f), small);
        FloatVector f =
                bits.and(0x007fffff).add(SQRT_HALF).reinterpretAsFloats().sub(1f);
        FloatVector square = f.mul(f);
        FloatVector p = f.fma(L10, L9).lanewise(FMA, f, L8).lanewise(FMA, f, L7).lanewise(FMA, f, L6);
        p = p.lanewise(FMA, f, L5).lanewise(FMA, f, L4).lanewise(FMA, f, L3);
        FloatVector low = p.mul(f).sub(0.5f).fma(square, e.mul(LN2_TAIL));
        FloatVector y = e.lanewise(FMA, LN2_HEAD, low.add(f));
        FloatVector finite = y.blend(Float.NaN, x.compare(LT, 0f)).blend(Float.NEGATIVE_INFINITY, x.compare(EQ, 0f));
        return x.blend(finite, x.compare(LT, Float.POSITIVE_INFINITY));
    }

    /** x s(z(x)) with the logistic function s and GELU's argument z, in its tanh form, as x / (1 + 2^t). */
    static FloatVector gelu(FloatVector x) {
        FloatVector t = x.mul(x).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(x);
        FloatVector low = t.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
        FloatVector rounded = low.add(ROUND);
        FloatVector r = low.sub(rounded.sub(ROUND));
        FloatVector p = r.fma(P5, P4)
                .lanewise(FMA, r, P3)
                .lanewise(FMA, r, P2)
                .lanewise(FMA, r, P1)
                .lanewise(FMA, r, 1f);
        IntVector power = p.reinterpretAsInts().add(rounded.reinterpretAsInts().lanewise(LSHL, 23));
        return x.div(power.reinterpretAsFloats().add(1f)).blend(-0f, t.compare(GT, GELU_ZERO));
    }

    /** x s(x). */
    static FloatVector silu(FloatVector x) {
        return x.mul(sigmoid(x)).blend(-0f, x.compare(LT, -FLAT));
    }

    /** s + x s (1 - s) z'(x), the derivative of {@link #gelu}. */
    static FloatVector geluSlope(FloatVector x) {
        FloatVector s = sigmoid(geluArgument(x));
        FloatVector slope = x.mul(x).fma(3 * GELU_CUBIC, GELU_LINEAR);
        return x.mul(slope).mul(s.neg().add(1f)).fma(s, s).blend(s, x.abs().compare(GT, FLAT));
    }

    /** s + x s (1 - s), the derivative of {@link #silu}. */
    static FloatVector siluSlope(FloatVector x) {
        FloatVector s = sigmoid(x);
        return x.mul(s.neg().add(1f)).fma(s, s).blend(s, x.abs().compare(GT, FLAT));
    }

    private static FloatVector geluArgument(FloatVector x) {
        return x.mul(x).fma(GELU_CUBIC, GELU_LINEAR).mul(x);
    }

    /** x - n ln 2. */
    private static FloatVector reduced(FloatVector x, FloatVector n) {
        return n.lanewise(FMA, -LN2_LOW, n.lanewise(FMA, -LN2_HIGH, x));
    }

    /** e^r - 1 for |r| <= ln(2) / 2. */
    private static FloatVector expm1Reduced(FloatVector r) {
        FloatVector p = r.fma(E6, E5).lanewise(FMA, r, E4).lanewise(FMA, r, E3).lanewise(FMA, r, E2);
        return p.fma(r.mul(r), r);
    }

    /** 2^n for n in the low nine bits. */
    private static FloatVector powerOfTwo(IntVector n) {
        return n.lanewise(LSHL, 23).add(ONE).reinterpretAsFloats();
    }
}
