// The functions of io.quern.op.ActivationKind, by its ordinals.
#pragma once

#include "types.cuh"

namespace quern {

enum ActivationKind { kNone, kRelu, kLeakyRelu, kSigmoid, kTanh, kGelu, kSilu };

QUERN_DEVICE float gelu_argument(float x) { return 1.5957691216057308f * fmaf(0.044715f * x * x, x, x); }

/// x / (1 + exp(-z)), with the limit -0 where exp overflows.
QUERN_DEVICE float gated(float x, float z) { return z < -88.0f ? -0.0f : x / (1.0f + expf(-z)); }

QUERN_DEVICE float activate(float x, int kind) {
    switch (kind) {
        case kRelu:
            return x > 0 ? x : x != x ? x : 0.0f;
        case kLeakyRelu:
            return x > 0 ? x : 0.01f * x;
        case kSigmoid:
            return 1.0f / (1.0f + expf(-x));
        case kTanh:
            return tanhf(x);
        case kGelu:
            return gated(x, gelu_argument(x));
        case kSilu:
            return gated(x, x);
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

/// The derivative from the saved output (none .. tanh) or the saved input (gelu, silu).
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
            float s = 1.0f / (1.0f + expf(-gelu_argument(saved)));
            float slope = 1.5957691216057308f * fmaf(0.134145f * saved, saved, 1.0f);
            return fabsf(saved) > 1e15f ? s : fmaf(saved * s * (1.0f - s), slope, s);
        }
        case kSilu: {
            float s = 1.0f / (1.0f + expf(-saved));
            return fabsf(saved) > 1e15f ? s : s * fmaf(saved, 1.0f - s, 1.0f);
        }
        default:
            return 1.0f;
    }
}

}  // namespace quern
