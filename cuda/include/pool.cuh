// How a pooling window slides over an image: PoolGeometry of the Java side, with the extents of image and result.
#pragma once

#include "strips.cuh"

namespace quern {

struct Pool {
    int h, w, p, q, c;
    int window_h, window_w, stride_h, stride_w, padding_h, padding_w;
    int lanes;  // channels of a thread: 1, or those of 16 bytes where all is aligned to them
    Divider by_stride_h, by_stride_w;

    QUERN_DEVICE int first_row(int row) const { return max_of(0, row * stride_h - padding_h); }
    QUERN_DEVICE int end_row(int row) const { return min_of(h, row * stride_h - padding_h + window_h); }
    QUERN_DEVICE int first_column(int column) const { return max_of(0, column * stride_w - padding_w); }
    QUERN_DEVICE int end_column(int column) const { return min_of(w, column * stride_w - padding_w + window_w); }

    /// Result rows whose window holds an image row: first .. end - 1.
    QUERN_DEVICE int first_window_row(int row) const { return first(row + padding_h - window_h + 1, stride_h, by_stride_h); }
    QUERN_DEVICE int end_window_row(int row) const { return min_of(p, by_stride_h.quotient(row + padding_h) + 1); }
    QUERN_DEVICE int first_window_column(int column) const {
        return first(column + padding_w - window_w + 1, stride_w, by_stride_w);
    }
    QUERN_DEVICE int end_window_column(int column) const { return min_of(q, by_stride_w.quotient(column + padding_w) + 1); }

    /// numerator / stride, rounded up, 0 at least.
    QUERN_DEVICE static int first(int numerator, int stride, Divider by_stride) {
        return numerator <= 0 ? 0 : by_stride.quotient(numerator + stride - 1);
    }

    /// Elements that an average divides by.
    QUERN_DEVICE float divisor(int row, int column, int count_padding) const {
        return static_cast<float>(count_padding != 0 ? window_h * window_w
                                                     : (end_row(row) - first_row(row)) *
                                                           (end_column(column) - first_column(column)));
    }

    template <class T>
    QUERN_DEVICE const T* image_of(const T* x, int image, int channel) const {
        return x + static_cast<long long>(image) * h * w * c + channel;
    }
    template <class T>
    QUERN_DEVICE const T* result_of(const T* y, int image, int channel) const {
        return y + static_cast<long long>(image) * p * q * c + channel;
    }
};
static_assert(sizeof(Pool) == 64);

/// A number of channels as a type.
template <int N>
struct Channels {
    static constexpr int value = N;
};

/// body(Channels of this thread, its strip), if it has one.
template <class T, class Body>
QUERN_DEVICE void with_strip(const Pool& pool, const Strips& strips, Body body) {
    const int index = static_cast<int>(global_index());
    if (index < strips.count && pool.lanes > 1) {
        body(Channels<kLanes<T>>{}, Strip(strips, index));
    } else if (index < strips.count) {
        body(Channels<1>{}, Strip(strips, index));
    }
}

/// The first element of a strip of one pixel, in a tensor whose strips these are.
QUERN_DEVICE long long element_of(const Strip& at, const Strips& strips, int lanes) {
    const long long pixel = (static_cast<long long>(at.image) * strips.rows + at.row) * strips.strips + at.first;
    return (pixel * strips.lanes + at.lane) * lanes;
}

}  // namespace quern
