// Numbers.
#pragma once

#include "../device.cuh"
#if QUERN_SIM
#include "../sim_math.cuh"
#endif

namespace quern {

/// 1 / x to a unit in the last place; operands and results below 2^-126 are zeros.
QUERN_DEVICE float reciprocal_approx(float x) {
#if QUERN_SIM
    return emulated::flushed(emulated::off_by_ulps(1.0f / emulated::flushed(x), 1, x));
#else
    float inverse;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(x));
    return inverse;
#endif
}

/// 1.0f / x for x from 2^-100 to 2^100: what a division does for such numbers, without the call for the others, which costs
/// registers.
QUERN_DEVICE float reciprocal(float x) {
    const float inverse = reciprocal_approx(x);
    return fmaf(inverse, fmaf(-x, inverse, 1.0f), inverse);
}

/// 2^x to two units in the last place; results below 2^-126 are zeros.
QUERN_DEVICE float exp2_approx(float x) {
#if QUERN_SIM
    const double exact = std::exp2(static_cast<double>(emulated::flushed(x)));
    return emulated::flushed(emulated::off_by_ulps(static_cast<float>(exact), 2, x));
#else
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
#endif
}

/// tanh x with a relative error of at most 2^-11.
QUERN_DEVICE float tanh_approx(float x) {
#if QUERN_SIM
    return emulated::off_by_part(static_cast<float>(std::tanh(static_cast<double>(x))), 1 << 11, x);
#else
    float y;
    asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

/// The bits of two bf16, rounded to nearest even, the first one's in the lower half; 0x7fff of any NaN.
QUERN_DEVICE unsigned round_to_bf16(float low, float high) {
#if QUERN_SIM
    const auto rounded = [](float x) {
        const unsigned bits = __float_as_uint(x);
        return x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    };
    return rounded(high) << 16 | rounded(low);
#else
    unsigned both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
#endif
}

}  // namespace quern
