// y[i] = x[i] in another type, rounded to nearest even.
// cast_f32_bf16(const float* x, bf16* y, int64 n)   cast_bf16_f32(const bf16* x, float* y, int64 n)
// cast_f32_f64, cast_f64_f32, cast_f32_i32 (to nearest even, saturating, NaN 0), cast_i32_f32, copy_32(const u32*, u32*, int64 n),
// copy_16(const u16*, u16*, int64 n)
#include "elementwise.cuh"

namespace quern::cast {

template <class From, class To, class F>
QUERN_DEVICE void run(const From* x, To* y, long long n, F f) {
    // 4 elements at a time fill 16 bytes on the wider side
    long long packs = aligned16(x) && aligned16(y) ? n / 4 : 0;
    for_each(packs, [&](long long p) {
        Vec<From, 4> in = load_vec<From, 4>(x + p * 4);
        Vec<To, 4> out;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            out[j] = f(in[j]);
        }
        store_vec(y + p * 4, out);
    });
    for_each(n - packs * 4, [&](long long i) { y[packs * 4 + i] = f(x[packs * 4 + i]); });
}

QUERN_DEVICE int to_int(float x) {
    return x != x ? 0 : x >= 2147483648.0f ? 2147483647 : x <= -2147483648.0f ? -2147483647 - 1 : static_cast<int>(rintf(x));
}

}  // namespace quern::cast

QUERN_KERNEL(256, cast_f32_bf16, const float* x, quern::bf16* y, long long n) {
    quern::cast::run(x, y, n, [](float v) { return quern::from_float<quern::bf16>(v); });
}

QUERN_KERNEL(256, cast_bf16_f32, const quern::bf16* x, float* y, long long n) {
    quern::cast::run(x, y, n, [](quern::bf16 v) { return quern::to_float(v); });
}

QUERN_KERNEL(256, cast_f32_i32, const float* x, int* y, long long n) {
    quern::cast::run(x, y, n, [](float v) { return quern::cast::to_int(v); });
}

QUERN_KERNEL(256, cast_i32_f32, const int* x, float* y, long long n) {
    quern::cast::run(x, y, n, [](int v) { return static_cast<float>(v); });
}

QUERN_KERNEL(256, copy_32, const unsigned* x, unsigned* y, long long n) {
    quern::cast::run(x, y, n, [](unsigned v) { return v; });
}

QUERN_KERNEL(256, copy_16, const quern::u16* x, quern::u16* y, long long n) {
    quern::cast::run(x, y, n, [](quern::u16 v) { return v; });
}

QUERN_KERNEL(256, cast_f32_f64, const float* x, double* y, long long n) {
    quern::for_each(n, [&](long long i) { y[i] = static_cast<double>(x[i]); });
}

QUERN_KERNEL(256, cast_f64_f32, const double* x, float* y, long long n) {
    quern::for_each(n, [&](long long i) { y[i] = static_cast<float>(x[i]); });
}
