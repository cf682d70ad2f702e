// y[i] = x[i] in another type, rounded once, to nearest even; integers saturate, NaN becomes 0.
// cast_{f32,bf16,f64,i32}_{f32,bf16,f64,i32}(const From* x, To* y, int64 n), elementwise grid, for each pair of two types
// copy_{16,32,64}(const T* x, T* y, int64 n)   the same for each size of one type
#include "elementwise.cuh"

namespace quern::cast {

template <class From, class To, class F>
QUERN_DEVICE void run(const From* x, To* y, long long n, F f) {
    // 16 bytes at a time on the wider side
    constexpr int lanes = kLanes<From> < kLanes<To> ? kLanes<From> : kLanes<To>;
    const long long packs = aligned16(x) && aligned16(y) ? n / lanes : 0;
    for_each(packs, [&](long long p) {
        const Vec<From, lanes> in = load_vec<From, lanes>(x + p * lanes);
        Vec<To, lanes> out;
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            out[j] = f(in[j]);
        }
        store_vec(y + p * lanes, out);
    });
    for_each(n - packs * lanes, [&](long long i) { y[packs * lanes + i] = f(x[packs * lanes + i]); });
}

/// Real is float or double.
template <class Real>
QUERN_DEVICE int to_int(Real x) {
    constexpr int most = 2147483647;
    return x != x ? 0 : x >= Real(2147483647.5) ? most : x < Real(-2147483648.5) ? -most - 1 : static_cast<int>(rint(x));
}

/// By way of a float that is rounded to odd, which the second rounding cannot take for a tie: S. Boldo and G. Melquiond,
/// "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE TC 57(4), 2008.
QUERN_DEVICE bf16 to_bf16(double x) {
    const float nearest = static_cast<float>(x);
    const double there = nearest, size = x < 0 ? -x : x, rounded = there < 0 ? -there : there;
    u32 bits = __float_as_uint(nearest);
    if (rounded > size) {
        bits--;
    }
    return from_float<bf16>(__uint_as_float(rounded != size && x == x ? bits | 1 : bits));
}

/// The same without doubles, of which some devices compute few: of 24 bits or more, those that a float lacks become one.
QUERN_DEVICE bf16 to_bf16(int x) {
    const u32 size = x < 0 ? 0u - static_cast<u32>(x) : static_cast<u32>(x);
    const u32 kept = size < 1u << 24 || (size & 255) == 0 ? size : (size & ~255u) | 256;
    const float rounded = static_cast<float>(kept);
    return from_float<bf16>(x < 0 ? -rounded : rounded);
}

}  // namespace quern::cast

#define QUERN_CAST(name, From, To, value)                              \
    QUERN_KERNEL(256, name, const From* x, To* y, long long n) {       \
        using namespace quern;                                         \
        cast::run(x, y, n, [](From v) { return value; });              \
    }

QUERN_CAST(cast_f32_bf16, float, quern::bf16, from_float<bf16>(v))
QUERN_CAST(cast_f32_f64, float, double, static_cast<double>(v))
QUERN_CAST(cast_f32_i32, float, int, cast::to_int(v))
QUERN_CAST(cast_bf16_f32, quern::bf16, float, to_float(v))
QUERN_CAST(cast_bf16_f64, quern::bf16, double, static_cast<double>(to_float(v)))
QUERN_CAST(cast_bf16_i32, quern::bf16, int, cast::to_int(to_float(v)))
QUERN_CAST(cast_f64_f32, double, float, static_cast<float>(v))
QUERN_CAST(cast_f64_bf16, double, quern::bf16, cast::to_bf16(v))
QUERN_CAST(cast_f64_i32, double, int, cast::to_int(v))
QUERN_CAST(cast_i32_f32, int, float, static_cast<float>(v))
QUERN_CAST(cast_i32_bf16, int, quern::bf16, cast::to_bf16(v))
QUERN_CAST(cast_i32_f64, int, double, static_cast<double>(v))
QUERN_CAST(copy_16, quern::u16, quern::u16, v)
QUERN_CAST(copy_32, quern::u32, quern::u32, v)
QUERN_CAST(copy_64, quern::u64, quern::u64, v)
