// How a pooling window slides over an image: PoolGeometry of the Java side, with the extents of image and result.
#pragma once

#include "device.cuh"

namespace quern {

/// An element of an NHWC tensor, from its index.
struct Place {
    long long image, channel;
    int row, column;

    QUERN_DEVICE Place(long long index, int height, int width, long long channels) {
        const long long pixel = index / channels, line = pixel / width;
        channel = index - pixel * channels;
        column = static_cast<int>(pixel - line * width);
        image = line / height;
        row = static_cast<int>(line - image * height);
    }
};

struct Pool {
    int h, w, p, q;
    long long c;
    int window_h, window_w, stride_h, stride_w, padding_h, padding_w;

    QUERN_DEVICE int first_row(int row) const { return max_of(0, row * stride_h - padding_h); }
    QUERN_DEVICE int end_row(int row) const { return min_of(h, row * stride_h - padding_h + window_h); }
    QUERN_DEVICE int first_column(int column) const { return max_of(0, column * stride_w - padding_w); }
    QUERN_DEVICE int end_column(int column) const { return min_of(w, column * stride_w - padding_w + window_w); }

    /// Result rows whose window holds an image row: first .. end - 1.
    QUERN_DEVICE int first_window_row(int row) const { return first(row + padding_h - window_h + 1, stride_h); }
    QUERN_DEVICE int end_window_row(int row) const { return min_of(p, (row + padding_h) / stride_h + 1); }
    QUERN_DEVICE int first_window_column(int column) const {
        return first(column + padding_w - window_w + 1, stride_w);
    }
    QUERN_DEVICE int end_window_column(int column) const { return min_of(q, (column + padding_w) / stride_w + 1); }

    QUERN_DEVICE static int first(int numerator, int stride) {
        return numerator <= 0 ? 0 : ceil_div(numerator, stride);
    }

    /// Elements that an average divides by.
    QUERN_DEVICE float divisor(int row, int column, int count_padding) const {
        return static_cast<float>(count_padding != 0 ? window_h * window_w
                                                     : (end_row(row) - first_row(row)) *
                                                           (end_column(column) - first_column(column)));
    }
};

}  // namespace quern

/// The last parameters of every pooling kernel, and the geometry made of them.
#define QUERN_POOL_PARAMETERS                                                                                     \
    int h, int w, int p, int q, long long c, int window_h, int window_w, int stride_h, int stride_w, int padding_h, \
        int padding_w
#define QUERN_POOL \
    quern::Pool { h, w, p, q, c, window_h, window_w, stride_h, stride_w, padding_h, padding_w }
