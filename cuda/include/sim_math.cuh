// For the simulator: results as far from the exact ones as NVIDIA documents that its instructions and functions may be, up or
// down by the bits of the argument, so that the bounds of ops are tested with the errors that hardware may have.
#pragma once

#include "device.cuh"

namespace quern {
namespace emulated {

/// What .ftz does to operands and results.
inline float flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

/// The same number for the same bits, as far as one can tell at random.
inline unsigned scrambled(unsigned bits) {
    bits = (bits ^ bits >> 16) * 0x85ebca6bu;
    bits = (bits ^ bits >> 13) * 0xc2b2ae35u;
    return bits ^ bits >> 16;
}

inline unsigned scrambled(float x) { return scrambled(__float_as_uint(x)); }
inline unsigned scrambled(double x) {
    const auto bits = static_cast<unsigned long long>(__double_as_longlong(x));
    return scrambled(scrambled(static_cast<unsigned>(bits)) ^ static_cast<unsigned>(bits >> 32));
}

/// The largest error for half of the arguments, any smaller one for the others; as many go up as down.
inline int error_of(unsigned random, int largest) {
    const int size = (random & 1) != 0 ? largest : static_cast<int>((random >> 1 & 0xffff) % (largest + 1));
    return (random >> 31) != 0 ? size : -size;
}

/// Numbers whose neighbours are other numbers of that sign.
template <class Bits, class Number>
Number off_by(Number exact, int ulps, unsigned random) {
    if (sim::runtime->exact || exact != exact || exact == 0 || std::isinf(exact)) {
        return exact;
    }
    const Bits bits = __builtin_bit_cast(Bits, std::fabs(exact)), most = __builtin_bit_cast(Bits, std::numeric_limits<Number>::max());
    const long long error = error_of(random, ulps), moved = static_cast<long long>(bits) + error;
    return std::copysign(__builtin_bit_cast(Number, static_cast<Bits>(moved < 1 ? 1 : moved > static_cast<long long>(most) ? most : moved)),
                         exact);
}

inline float off_by_ulps(float exact, int ulps, float of) { return off_by<unsigned>(exact, ulps, scrambled(of)); }
inline double off_by_ulps(double exact, int ulps, double of) { return off_by<unsigned long long>(exact, ulps, scrambled(of)); }

/// What max.NaN does.
inline float maximum(float a, float b) {
    if (a != a || b != b) {
        return __uint_as_float(0x7fffffff);
    }
    return a < b || (a == b && std::signbit(a)) ? b : a;
}

/// With a relative error of a part in so many.
inline float off_by_part(float exact, int parts, float of) {
    if (sim::runtime->exact || !std::isfinite(exact)) {
        return exact;
    }
    constexpr int kSteps = 1024;
    const double error = static_cast<double>(error_of(scrambled(of), kSteps)) / kSteps / parts;
    return static_cast<float>(exact * (1 + error));
}

}  // namespace emulated

// In front of the C library's, with the largest errors of the tables in the CUDA programming guide. Of what else kernels use,
// square roots and divisions are exact there, too.
inline float expf(float x) { return emulated::off_by_ulps(static_cast<float>(std::exp(static_cast<double>(x))), 2, x); }
inline float tanhf(float x) { return emulated::off_by_ulps(static_cast<float>(std::tanh(static_cast<double>(x))), 2, x); }
inline double log(double x) { return emulated::off_by_ulps(std::log(x), 1, x); }
inline double rsqrt(double x) { return emulated::off_by_ulps(1.0 / std::sqrt(x), 1, x); }

}  // namespace quern
