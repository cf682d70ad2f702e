// Extents and geometry of a convolution: Conv2dGeometry of the Java side. Image (n, h, w, c), filter (r, s, c / groups, k),
// result (n, p, q, k).
#pragma once

#include "device.cuh"

namespace quern {

struct Convolution {
    int n, h, w, c, r, s, k, p, q;
    int stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w, groups;

    QUERN_DEVICE int group_c() const { return c / groups; }
    QUERN_DEVICE int group_k() const { return k / groups; }

    /// Index of the image pixel that tap (i, j) of result (image, row, column) sees; -1 outside.
    QUERN_DEVICE long long image_pixel(int image, int row, int column, int i, int j) const {
        const int y = row * stride_h - padding_h + i * dilation_h;
        const int x = column * stride_w - padding_w + j * dilation_w;
        return y >= 0 && y < h && x >= 0 && x < w ? (static_cast<long long>(image) * h + y) * w + x : -1;
    }

    /// Index of the result pixel whose tap (i, j) sees image pixel (image, row, column); -1 if there is none.
    QUERN_DEVICE long long result_pixel(int image, int row, int column, int i, int j) const {
        const int y = row + padding_h - i * dilation_h;
        const int x = column + padding_w - j * dilation_w;
        if (y < 0 || x < 0 || y % stride_h != 0 || x % stride_w != 0 || y / stride_h >= p || x / stride_w >= q) {
            return -1;
        }
        return (static_cast<long long>(image) * p + y / stride_h) * q + x / stride_w;
    }
};

}  // namespace quern

/// The last parameters of every convolution kernel, and the problem made of them.
#define QUERN_CONVOLUTION_PARAMETERS                                                                                \
    int n, int h, int w, int c, int r, int s, int k, int p, int q, int stride_h, int stride_w, int padding_h,       \
        int padding_w, int dilation_h, int dilation_w, int groups
#define QUERN_CONVOLUTION                                                                                           \
    quern::Convolution {                                                                                            \
        n, h, w, c, r, s, k, p, q, stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w, groups         \
    }
