// y[o, r, i] = scale x[o, i] for y seen as [outer, repeated, inner].
// broadcast_f32(const float* x, float* y, float scale, int64 repeated, int64 inner, int64 n)   n = elements of y
#include "elementwise.cuh"

QUERN_KERNEL(256, broadcast_f32, const float* x, float* y, float scale, long long repeated, long long inner, long long n) {
    using namespace quern;
    if (inner % 4 == 0 && aligned16(x) && aligned16(y)) {
        long long packs = inner / 4;
        for_each(n / 4, [&](long long p) {
            Pack<float> v = load_pack(x + (p / (repeated * packs) * packs + p % packs) * 4);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                v[j] *= scale;
            }
            store_pack(y + p * 4, v);
        });
    } else {
        for_each(n, [&](long long i) { y[i] = scale * x[i / (repeated * inner) * inner + i % inner]; });
    }
}
