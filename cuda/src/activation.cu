// y = f(x); y may be x. kind: ordinal of ActivationKind.
// activation_f32(const float* x, float* y, int kind, int64 n)   activation_bf16: the same with bf16 tensors
#include "activation.cuh"
#include "elementwise.cuh"

QUERN_KERNEL_BY_DTYPE(256, activation, (const T* x, T* y, int kind, long long n), {
    with_kind(kind, [=](auto known) { map1(x, y, n, [](float v) { return activate<T>(v, decltype(known)::value); }); });
})
