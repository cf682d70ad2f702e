// Extents and geometry of a convolution: Conv2dGeometry of the Java side. Image (n, h, w, c), filter (r, s, c / groups, k),
// result (n, p, q, k).
#pragma once

#include "activation.cuh"
#include "division.cuh"
#include "mixed.cuh"

namespace quern {

struct Convolution {
    int n, h, w, c, r, s, k, p, q;
    int stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w, groups;
    Divider by_p, by_q;

    QUERN_DEVICE int group_c() const { return c / groups; }
    QUERN_DEVICE int group_k() const { return k / groups; }
    QUERN_DEVICE int result_pixels() const { return n * p * q; }
};
static_assert(sizeof(Convolution) == 80);

/// A result pixel's image, and the image row and column that tap (0, 0) sees.
struct Origin {
    int image, y, x;

    QUERN_DEVICE Origin(const Convolution& conv, int pixel) {
        const int row = conv.by_q.quotient(pixel);
        image = conv.by_p.quotient(row);
        y = (row - image * conv.p) * conv.stride_h - conv.padding_h;
        x = (pixel - row * conv.q) * conv.stride_w - conv.padding_w;
    }
};

/// Far outside any image, and no overflow when a filter's extent is added.
inline constexpr int kOutside = -(1 << 30);

QUERN_DEVICE bool within(int y, int x, int height, int width) {
    return static_cast<unsigned>(y) < static_cast<unsigned>(height) && static_cast<unsigned>(x) < static_cast<unsigned>(width);
}

/// What becomes of the sums of the result channels. narrow: bias, y and preactivation are bf16 instead of f32.
struct ConvolutionEnd {
    const void* bias;
    void *y, *preactivation;
    int kind, narrow;

    /// Of neighbours from element at on, of a channel; whole, valid: as of load_floats. Plain, to be written out for many sums of a
    /// thread: nothing is narrow, and kinds of activation that are not simple are left to the caller.
    template <int N, bool Plain = false>
    QUERN_DEVICE void finish(long long at, int channel, int valid, bool whole, Vec<float, N>& run) const {
        const bool halves = !Plain && narrow != 0;
        if (bias != nullptr) {
            const Vec<float, N> more = load_mixed<N>(bias, halves, channel, whole, valid);
#pragma unroll
            for (int j = 0; j < N; j++) {
                run[j] += more[j];
            }
        }
        if (preactivation != nullptr) {
            store_mixed(preactivation, halves, at, run, whole, valid);
        }
        if constexpr (Plain) {
            if (is_simple(kind)) {
#pragma unroll
                for (int j = 0; j < N; j++) {
                    run[j] = activate_simple(run[j], kind);
                }
            }
        } else if (kind != kNone) {
            activate_each(run, kind, halves);
        }
        store_mixed(y, halves, at, run, whole, valid);
    }
};
static_assert(sizeof(ConvolutionEnd) == 32);

/// Where a gradient, or partial sums of it, go; narrow: as bf16 instead of f32, of tensor cores and direct forms alone.
struct Target {
    void* at;
    int narrow;
};
static_assert(sizeof(Target) == 16);

}  // namespace quern
