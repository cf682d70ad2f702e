// The functions of io.quern.op.ActivationKind, by its ordinals.
#pragma once

#include "exponential.cuh"

namespace quern {

enum ActivationKind { kNone, kRelu, kLeakyRelu, kSigmoid, kTanh, kGelu, kSilu };

QUERN_DEVICE float gelu_argument(float x) { return 1.5957691216057308f * fmaf(0.044715f * x * x, x, x); }

/// x / (1 + exp(-z)), with the limit -0 where exp overflows.
template <class T>
QUERN_DEVICE float gated(float x, float z) {
    if constexpr (kIsBf16<T>) {
        return fmaxf(x, -1e30f) * logistic<T>(z);  // of a NaN the second factor is a NaN too
    } else {
        return z < -88.0f ? -0.0f : x / (1.0f + expf(-z));
    }
}

/// f(x) for results stored as T.
template <class T>
QUERN_DEVICE float activate(float x, int kind) {
    switch (kind) {
        case kRelu:
            return x > 0 ? x : x != x ? x : 0.0f;
        case kLeakyRelu:
            return x > 0 ? x : 0.01f * x;
        case kSigmoid:
            return logistic<T>(x);
        case kTanh:
            return kIsBf16<T> ? tanh_approx(x) : tanhf(x);
        case kGelu:
            return gated<T>(x, gelu_argument(x));
        case kSilu:
            return gated<T>(x, x);
        default:
            return x;
    }
}

/// Kinds without a function of the library, cheap enough to be written out for every sum of a thread.
QUERN_DEVICE bool is_simple(int kind) { return kind <= kLeakyRelu; }

/// activate for those kinds, without branches.
QUERN_DEVICE float activate_simple(float x, int kind) {
    return x > 0 || x != x || kind == kNone ? x : kind == kRelu ? 0.0f : 0.01f * x;
}

/// x, but no more than where the logistic function is 1, of which a rounding may be missing that must not be multiplied by more,
/// and finite where it is 0.
QUERN_DEVICE float where_it_bends(float x) { return fminf(fmaxf(x, -1e15f), 16.0f); }

/// The derivative from the saved output (none .. tanh) or the saved input (gelu, silu), for results stored as T.
template <class T>
QUERN_DEVICE float activation_slope(float saved, int kind) {
    switch (kind) {
        case kRelu:
            return saved > 0 ? 1.0f : 0.0f;
        case kLeakyRelu:
            return saved > 0 ? 1.0f : 0.01f;
        case kSigmoid:
            return saved * (1.0f - saved);
        case kTanh:
            return 1.0f - saved * saved;
        case kGelu: {
            const float s = logistic<T>(gelu_argument(saved)), x = where_it_bends(saved);
            const float slope = 1.5957691216057308f * fmaf(0.134145f * x, x, 1.0f);
            return fmaf(x * s * (1.0f - s), slope, s);
        }
        case kSilu: {
            const float s = logistic<T>(saved);
            return s * fmaf(where_it_bends(saved), 1.0f - s, 1.0f);
        }
        default:
            return 1.0f;
    }
}

/// run(Constant<kind>): once per kernel, instead of a choice per element.
template <class Run>
QUERN_DEVICE void with_kind(int kind, Run run) {
    switch (kind) {
        case kRelu:
            return run(Constant<kRelu>{});
        case kLeakyRelu:
            return run(Constant<kLeakyRelu>{});
        case kSigmoid:
            return run(Constant<kSigmoid>{});
        case kTanh:
            return run(Constant<kTanh>{});
        case kGelu:
            return run(Constant<kGelu>{});
        case kSilu:
            return run(Constant<kSilu>{});
        default:
            return run(Constant<kNone>{});
    }
}

/// activate for results that are stored as bf16 if narrow, else as f32.
template <int N>
QUERN_DEVICE void activate_each(Vec<float, N>& run, int kind, bool narrow) {
    with_kind(kind, [&](auto known) {
        if (narrow) {
#pragma unroll
            for (int j = 0; j < N; j++) {
                run[j] = activate<bf16>(run[j], decltype(known)::value);
            }
        } else {
#pragma unroll
            for (int j = 0; j < N; j++) {
                run[j] = activate<float>(run[j], decltype(known)::value);
            }
        }
    });
}

}  // namespace quern
