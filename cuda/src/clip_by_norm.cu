// y = x min(1, limit / (sqrt(square) + 1e-6)), square being on the device; y may be x.
// clip_by_norm_f32(const float* x, const float* square, float* y, float limit, int64 n)
#include "elementwise.cuh"

QUERN_KERNEL(256, clip_by_norm_f32, const float* x, const float* square, float* y, float limit, long long n) {
    float ratio = limit / (sqrtf(*square) + 1e-6f);
    float factor = ratio > 1.0f ? 1.0f : ratio;  // NaN stays NaN
    quern::map1(x, y, n, [factor](float v) { return factor * v; });
}
