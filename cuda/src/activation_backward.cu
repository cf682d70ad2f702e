// dx = dy f'(saved), saved being the output for none .. tanh and the input for gelu and silu; dx may be dy or saved.
// activation_backward_f32(const float* saved, const float* dy, float* dx, int kind, int64 n)
// activation_backward_bf16: the same with bf16 tensors
#include "activation.cuh"
#include "elementwise.cuh"

QUERN_KERNEL(256, activation_backward_f32, const float* saved, const float* dy, float* dx, int kind, long long n) {
    quern::map2(saved, dy, dx, n, [kind](float s, float d) { return d * quern::activation_slope(s, kind); });
}

QUERN_KERNEL(256, activation_backward_bf16, const quern::bf16* saved, const quern::bf16* dy, quern::bf16* dx, int kind,
             long long n) {
    quern::map2(saved, dy, dx, n, [kind](float s, float d) { return d * quern::activation_slope(s, kind); });
}
