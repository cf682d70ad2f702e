// y = factor x; y may be x.
// scale_f32(const float* x, float* y, float factor, int64 n)   scale_bf16: the same with bf16 tensors
#include "elementwise.cuh"

QUERN_KERNEL(256, scale_f32, const float* x, float* y, float factor, long long n) {
    quern::map1(x, y, n, [factor](float v) { return factor * v; });
}

QUERN_KERNEL(256, scale_bf16, const quern::bf16* x, quern::bf16* y, float factor, long long n) {
    quern::map1(x, y, n, [factor](float v) { return factor * v; });
}
