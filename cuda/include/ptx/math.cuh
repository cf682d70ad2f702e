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

/// The larger number; NaN if one is NaN, and 0 of 0 and -0.
QUERN_DEVICE float maximum(float a, float b) {
#if QUERN_SIM
    return emulated::maximum(a, b);
#else
    float larger;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(larger) : "f"(a), "f"(b));
    return larger;
#endif
}

/// The same of each half, which are the bits of bf16; 0x7fff is the NaN.
QUERN_DEVICE unsigned maximum_of_bf16s(unsigned a, unsigned b) {
#if QUERN_SIM
    const auto half = [](unsigned x, unsigned y) {
        const float larger = emulated::maximum(__uint_as_float(x << 16), __uint_as_float(y << 16));
        return larger != larger ? 0x7fff : __float_as_uint(larger) >> 16;
    };
    return half(a >> 16, b >> 16) << 16 | half(a & 0xffff, b & 0xffff);
#else
    unsigned larger;
    asm("max.NaN.bf16x2 %0, %1, %2;" : "=r"(larger) : "r"(a), "r"(b));
    return larger;
#endif
}

/// Whether the instructions of the two functions below are there: compute capability 9.0. The simulator has them, but for its build with
/// sanitizers.
#if QUERN_SIM
inline constexpr bool kComparesBf16s = QUERN_SIM_COMPARES_BF16S;
#elif __CUDA_ARCH__ >= 900
inline constexpr bool kComparesBf16s = true;
#else
inline constexpr bool kComparesBf16s = false;
#endif

/// Of each half, which are the bits of bf16: 0xffff where a > b or one is NaN, else 0.
QUERN_DEVICE unsigned greater_or_nan_of_bf16s([[maybe_unused]] unsigned a, [[maybe_unused]] unsigned b) {
#if QUERN_SIM
    const auto half = [](unsigned x, unsigned y) { return __uint_as_float(x << 16) <= __uint_as_float(y << 16) ? 0u : 0xffffu; };
    return half(a >> 16, b >> 16) << 16 | half(a & 0xffff, b & 0xffff);
#elif __CUDA_ARCH__ >= 900
    unsigned greater;
    asm("set.gtu.u32.bf16x2 %0, %1, %2;" : "=r"(greater) : "r"(a), "r"(b));
    return greater;
#else
    return 0;
#endif
}

/// The same where a is no NaN.
QUERN_DEVICE unsigned numbers_of_bf16s([[maybe_unused]] unsigned a) {
#if QUERN_SIM
    const auto half = [](unsigned x) { return (x & 0x7fff) > 0x7f80 ? 0u : 0xffffu; };
    return half(a >> 16) << 16 | half(a & 0xffff);
#elif __CUDA_ARCH__ >= 900
    unsigned numbers;
    asm("set.num.u32.bf16x2 %0, %1, %1;" : "=r"(numbers) : "r"(a));
    return numbers;
#else
    return 0;
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
