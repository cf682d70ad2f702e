// dx = dy f'(saved), saved being the output for none .. tanh and the input for gelu and silu; dx may be dy or saved.
// activation_backward_f32(const float* saved, const float* dy, float* dx, int kind, int64 n)
// activation_backward_bf16: the same with bf16 tensors
#include "activation.cuh"
#include "elementwise.cuh"

QUERN_KERNEL_BY_DTYPE(256, activation_backward, (const T* saved, const T* dy, T* dx, int kind, long long n), {
    with_kind(kind, [=](auto known) {
        map2(saved, dy, dx, n, [](float s, float d) { return d * activation_slope<T>(s, decltype(known)::value); });
    });
})
