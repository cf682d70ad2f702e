// y = x min(1, limit / (sqrt(square) + 1e-6)), square being on the device; y may be x.
// clip_by_norm_f32(const float* x, const float* square, float* y, float limit, int64 n)   clip_by_norm_bf16: x and y in bf16
#include "elementwise.cuh"

QUERN_KERNEL_BY_DTYPE(256, clip_by_norm, (const T* x, const float* square, T* y, float limit, long long n), {
    const float ratio = limit / (sqrtf(*square) + 1e-6f);
    const float factor = ratio > 1.0f ? 1.0f : ratio;  // NaN stays NaN
    map1(x, y, n, [factor](float v) { return factor * v; });
})
