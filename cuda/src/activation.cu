// y = f(x); y may be x. kind: ordinal of ActivationKind.
// activation_f32(const float* x, float* y, int kind, int64 n)   activation_bf16: the same with bf16 tensors
#include "activation.cuh"
#include "elementwise.cuh"

QUERN_KERNEL(256, activation_f32, const float* x, float* y, int kind, long long n) {
    quern::map1(x, y, n, [kind](float v) { return quern::activate(v, kind); });
}

QUERN_KERNEL(256, activation_bf16, const quern::bf16* x, quern::bf16* y, int kind, long long n) {
    quern::map1(x, y, n, [kind](float v) { return quern::activate(v, kind); });
}
