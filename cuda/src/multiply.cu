// y = a b, element by element; y may be a or b.
// multiply_f32(const float* a, const float* b, float* y, int64 n)   multiply_bf16: the same with bf16
#include "elementwise.cuh"

QUERN_KERNEL_BY_DTYPE(256, multiply, (const T* a, const T* b, T* y, long long n), {
    map2(a, b, y, n, [](float s, float t) { return s * t; });
})
