// How a pooling window slides over an image: PoolGeometry of the Java side, with the extents of image and result.
#pragma once

#include "packs.cuh"
#include "ptx/launch.cuh"
#include "strips.cuh"

namespace quern {

struct Pool {
    int h, w, p, q, c;
    int window_h, window_w, stride_h, stride_w, padding_h, padding_w;
    int lanes;  // channels of a thread: 1, or those of 16 bytes where all is aligned to them
    Divider by_stride_h, by_stride_w;
    int steps;  // rows of windows or cells that a thread takes one after the other; 0: it has a pixel of any geometry
    int count_padding;  // of means: pixels outside the image count

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
    QUERN_DEVICE float divisor(int row, int column) const {
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
static_assert(sizeof(Pool) == 72);

/// Windows of W x W pixels, S apart, known when compiled: all loads of a window can be under way at once. An image is cut into
/// cells of S x S pixels so that only kWindows windows along an axis touch a cell: with the index of its first window it is at
/// the last S pixels of it. PoolCuda of the Java side counts them.
template <int W, int S>
struct Cells {
    static constexpr int kWindows = (W + S - 1) / S;
    /// Pixels along an axis that those windows cover.
    static constexpr int kArea = (kWindows - 1) * S + W;

    /// Which of a window's pixels the cell's pixel i is, for the cell's window k; outside 0 .. W - 1: none.
    QUERN_DEVICE static constexpr int place(int i, int k) { return W - S + i - k * S; }
    QUERN_DEVICE static constexpr bool within(int place) { return 0 <= place && place < W; }

    /// The first window of the first cell of an axis; -1 where that window would lie outside.
    QUERN_DEVICE static int first_window(int padding) { return 1 - (W - padding + S - 1) / S; }
};

/// 0 <= i < extent.
QUERN_DEVICE bool within(int i, int extent) { return static_cast<u32>(i) < static_cast<u32>(extent); }

/// The first element of a strip of one pixel, in a tensor whose strips these are.
QUERN_DEVICE long long element_of(const Strip& at, const Strips& strips, int lanes) {
    const long long pixel = (static_cast<long long>(at.image) * strips.rows + at.row) * strips.strips + at.first;
    return (pixel * strips.lanes + at.lane) * lanes;
}

/// The nearest of 0 .. extent - 1.
QUERN_DEVICE int clamped(int i, int extent) { return max_of(0, min_of(extent - 1, i)); }

/// Where the columns of a cell's windows lie in a row of the image, and the windows in a row of the result; those outside are
/// replaced by the nearest inside, so that loads need no condition.
template <int W, int S>
struct Columns {
    using Cell = Cells<W, S>;
    int image[Cell::kArea], result[Cell::kWindows];
    bool near;  // some are replaced

    /// column: the cell's first window.
    QUERN_DEVICE Columns(const Pool& pool, int column) {
        const int left = column * S - pool.padding_w;
#pragma unroll
        for (int i = 0; i < Cell::kArea; i++) {
            image[i] = clamped(left + i, pool.w) * pool.c;
        }
#pragma unroll
        for (int i = 0; i < Cell::kWindows; i++) {
            result[i] = clamped(column + i, pool.q) * pool.c;
        }
        near = left < 0 || left + Cell::kArea > pool.w || column < 0 || column + Cell::kWindows > pool.q;
    }
};

/// Calls any(lanes, strip) for a thread with a pixel, compiled(window, stride, lanes, strip) for one with a run of steps.
/// The geometry alone decides between the two.
template <class T, class Any, class Compiled>
QUERN_DEVICE void pool_thread(const Pool& pool, const Strips& strips, Any any, Compiled compiled) {
    const int index = static_cast<int>(global_index());
    if (index >= strips.count) {
        return;
    }
    const Strip at(strips, index);
    const auto with_lanes = [&](auto lanes) {
        if (pool.steps == 0) {
            any(lanes, at);
        } else if (pool.window_h == 3) {
            compiled(Constant<3>{}, Constant<2>{}, lanes, at);
        } else {
            compiled(Constant<2>{}, Constant<2>{}, lanes, at);
        }
    };
    if (pool.lanes == 1) {
        with_lanes(Constant<1>{});
    } else {
        with_lanes(Constant<kLanes<T>>{});
    }
}

}  // namespace quern

/// The kernels stem_f32 and stem_bf16 of a pass, for so many blocks on a multiprocessor: PoolCuda of the Java side. any and compiled
/// are templates of functions, that for any geometry and that for those compiled; parameters, and as arguments behind them their
/// names, are the pass's tensors: QUERN_POOL_KERNEL(4, max_pool, max_pool::forward, max_pool::windows, (const T* x, T* y), x, y)
#define QUERN_POOL_KERNEL(blocks, stem, any, compiled, parameters, ...)                                                    \
    QUERN_KERNEL_BLOCKS_BY_DTYPE(256, blocks, stem, (QUERN_UNWRAP parameters, Pool pool, Strips strips), {                 \
        overlap_launches();                                                                                                \
        pool_thread<T>(pool, strips, [&](auto lanes, const Strip& at) {                                                    \
            any<lanes.value>(__VA_ARGS__, pool, strips, at);                                                               \
        }, [&](auto window, auto stride, auto lanes, const Strip& at) {                                                    \
            compiled<window.value, stride.value, lanes.value>(__VA_ARGS__, pool, at);                                      \
        });                                                                                                                \
    })
