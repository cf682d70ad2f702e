// y = a + b, element by element; y may be a or b.
// add_f32(const float* a, const float* b, float* y, int64 n)   add_bf16: the same with bf16
#include "elementwise.cuh"

QUERN_KERNEL(256, add_f32, const float* a, const float* b, float* y, long long n) {
    quern::map2(a, b, y, n, [](float s, float t) { return s + t; });
}

QUERN_KERNEL(256, add_bf16, const quern::bf16* a, const quern::bf16* b, quern::bf16* y, long long n) {
    quern::map2(a, b, y, n, [](float s, float t) { return s + t; });
}
