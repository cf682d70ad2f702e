// y[o, r, i] = scale x[o, i] for y seen as [outer, repeated, inner].
// broadcast_f32(const float* x, float* y, float scale, int64 repeated, int64 inner, int64 n)   n = elements of y
// broadcast_bf16: the same with bf16 tensors   broadcast_f32_bf16: y alone in bf16
#include "elementwise.cuh"

namespace quern::broadcast {

template <class From, class To>
QUERN_DEVICE void run(const From* x, To* y, float scale, long long repeated, long long inner, long long n) {
    constexpr int lanes = kLanes<To>;
    if (inner % lanes == 0 && aligned16(x) && aligned16(y)) {
        const long long packs = inner / lanes;
        for_each(n / lanes, [&](long long p) {
            Vec<float, lanes> v = load_floats<lanes>(x + (p / (repeated * packs) * packs + p % packs) * lanes);
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                v[j] *= scale;
            }
            store_floats(y + p * lanes, v);
        });
    } else {
        for_each(n, [&](long long i) {
            y[i] = from_float<To>(scale * to_float(x[i / (repeated * inner) * inner + i % inner]));
        });
    }
}

}  // namespace quern::broadcast

QUERN_KERNEL_BY_DTYPE(256, broadcast, (const T* x, T* y, float scale, long long repeated, long long inner, long long n), {
    broadcast::run(x, y, scale, repeated, inner, n);
})

QUERN_KERNEL(256, broadcast_f32_bf16, const float* x, quern::bf16* y, float scale, long long repeated, long long inner,
             long long n) {
    quern::broadcast::run(x, y, scale, repeated, inner, n);
}
