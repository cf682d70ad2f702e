// y = factor x; y may be x.
// scale_f32(const float* x, float* y, float factor, int64 n)   scale_bf16: the same with bf16 tensors
#include "elementwise.cuh"

QUERN_KERNEL_BY_DTYPE(256, scale, (const T* x, T* y, float factor, long long n), {
    map1(x, y, n, [factor](float v) { return factor * v; });
})
