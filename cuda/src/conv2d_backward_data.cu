// dx, the gradient of a convolution by its image, NHWC, f32. Image rows whose distance from the padded edge has the same
// remainder by the stride are seen by the same taps: each pair of remainders (rows, columns) is a matrix product of its own,
// (pixels, taps and result channels) by (taps and result channels, channels), and no product is with a zero between strides.
// conv2d_backward_data_f32_{128x128,128x64,64x64}   block 256, grid (tiles of pixels * tiles of channels, groups, remainders *
//   splits); channels per group, c, k and all addresses are multiples of 4 (addresses: of 16 bytes)
// conv2d_backward_data_any_f32_{128x64,64x64}       the same without that condition
// conv2d_backward_data_direct_f32_{1,4}             a thread per strip of 4 pixels and 1 or 4 channels (4: depthwise, aligned)
// With splits > 1, dx is a space for the partial sums (splits, dx), which conv2d_sums_f32 (conv2d_backward_weights.cu) adds.
#include "strips.cuh"
#include "taps.cuh"

namespace quern::conv2d_backward_data {

/// The image rows (or columns) with one remainder, and the taps that see them: tap first_tap + t * tap_step of row
/// remainder + stride * i - padding meets result row i + base - t * result_step.
struct Remainder {
    int first_tap, tap_step, taps;
    int first, count;
    int base, result_step;

    QUERN_DEVICE Remainder(int remainder, int extent, int padding, int stride, int dilation, int filter) {
        int common = stride, other = dilation;
        while (other != 0) {
            const int rest = common % other;
            common = other;
            other = rest;
        }
        tap_step = stride / common;
        result_step = dilation / common;
        first_tap = 0;
        const int candidates = min_of(filter, tap_step);
        while (first_tap < candidates && (remainder - first_tap * dilation) % stride != 0) {
            first_tap++;
        }
        taps = first_tap < candidates ? ceil_div(filter - first_tap, tap_step) : 0;
        base = taps > 0 ? (remainder - first_tap * dilation) / stride : 0;
        first = max_of(0, ceil_div(padding - remainder, stride));
        const int last = extent - 1 + padding - remainder;
        count = last < 0 ? 0 : max_of(0, last / stride + 1 - first);
    }
};

template <class Tile, bool Vector>
struct Source {
    const Taps& taps;
    TapWalk walk;
    int left, height, width;
    WindowLoader<Tile::kDepth, Tile::kRows, Vector> a;
    FilterLoader<Tile::kDepth, Tile::kColumns, Vector> b;

    QUERN_DEVICE void load(float* tile_a, float* tile_b) {
        const int term = Along<Tile::kDepth, Tile::kRows>::term();
        if constexpr (Vector) {
            a.load(tile_a, walk, term < left, height, width, 0);
            b.load(tile_b, walk, term < left, 0);
        } else {
            TapWalk element = walk;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                a.load(tile_a, element, term + j < left, height, width, j);
                b.load(tile_b, element, term + j < left, j);
                if (j < 3) {
                    element.advance(taps, 1);
                }
            }
        }
        walk.advance(taps, Tile::kDepth);
    }
};

/// A block's first channel within the group, the group's channels, the place of the first of these in dx.
struct Place {
    int channel, group_c;
    long long first;
};

template <class Tile, bool Vector>
QUERN_DEVICE void tiles(const float* dy, const float* filter, float* dx, const Convolution& conv, int splits) {
    const int remainders = conv.stride_h * conv.stride_w;
    const int split = static_cast<int>(blockIdx.z) / remainders, remainder = static_cast<int>(blockIdx.z) % remainders;
    const Remainder rows(remainder / conv.stride_w, conv.h, conv.padding_h, conv.stride_h, conv.dilation_h, conv.r);
    const Remainder columns(remainder % conv.stride_w, conv.w, conv.padding_w, conv.stride_w, conv.dilation_w, conv.s);
    const int group_c = conv.group_c(), group_k = conv.group_k(), group = static_cast<int>(blockIdx.y);
    const int tiles_c = ceil_div(group_c, Tile::kColumns);
    const int block = static_cast<int>(blockIdx.x);
    const int pixel0 = block / tiles_c * Tile::kRows, channel0 = block % tiles_c * Tile::kColumns;
    const int pixels = conv.n * rows.count * columns.count;
    if (pixel0 >= pixels) {
        return;  // the grid is as large as the largest remainder wants
    }
    const int terms = rows.taps * columns.taps * group_k;
    const int all_steps = ceil_div(terms, Tile::kDepth), per_split = ceil_div(all_steps, splits);
    const int begin = min_of(split * per_split, all_steps);
    const int steps = min_of(per_split, all_steps - begin);
    const int first = begin * Tile::kDepth, end = min_of(first + steps * Tile::kDepth, terms);

    const int dy_row = conv.q * conv.k, filter_tap = group_c * conv.k;
    const int taps_x = max_of(columns.taps, 1);
    // what is needed seldom waits in shared memory: registers are short
    QUERN_SHARED(Taps, shared_taps, [1]);
    QUERN_SHARED(int, image_pixel, [Tile::kRows]);
    QUERN_SHARED(Place, shared_place, [1]);
    const Taps taps{max_of(group_k, 1), taps_x, -rows.result_step, -columns.result_step,
                    -columns.result_step * conv.k - group_k, taps_x * columns.result_step * conv.k - rows.result_step * dy_row,
                    columns.tap_step * filter_tap - group_k, (rows.tap_step * conv.s - taps_x * columns.tap_step) * filter_tap};
    if (threadIdx.x == 0) {
        shared_taps[0] = taps;
        shared_place[0] = {channel0, group_c, split * (static_cast<long long>(conv.n) * conv.h * conv.w * conv.c) + group * group_c};
    }
    for (int i = static_cast<int>(threadIdx.x); i < Tile::kRows; i += kTileThreads) {
        const int pixel = pixel0 + i, row = pixel / columns.count, image = row / rows.count;
        const int y = remainder / conv.stride_w + conv.stride_h * (rows.first + row - image * rows.count) - conv.padding_h;
        const int x = remainder % conv.stride_w + conv.stride_w * (columns.first + pixel - row * columns.count) - conv.padding_w;
        image_pixel[i] = pixel < pixels ? (image * conv.h + y) * conv.w + x : -1;
    }
    block_barrier();
    const int term = first + Along<Tile::kDepth, Tile::kRows>::term();
    Source<Tile, Vector> source{shared_taps[0], TapWalk(taps, term), end - first, conv.p, conv.q, {}, {}};
#pragma unroll
    for (int i = 0; i < source.a.kCount; i++) {
        const int pixel = pixel0 + source.a.line(i);
        if (pixel < pixels) {
            const int row = pixel / columns.count, image = row / rows.count;
            const int y = rows.first + row - image * rows.count + rows.base;
            const int x = columns.first + pixel - row * columns.count + columns.base;
            const long long at = (static_cast<long long>(image) * conv.p + y) * conv.q + x;
            source.a.place(i, y, x, dy + at * conv.k + group * group_k);
        } else {
            source.a.place(i, kOutside, 0, dy);
        }
    }
    source.b.lines = group_c - channel0;
#pragma unroll
    for (int i = 0; i < source.b.kCount; i++) {
        const int tap = rows.first_tap * conv.s + columns.first_tap, channel = channel0 + source.b.line(i);
        source.b.from[i] = filter + (static_cast<long long>(tap) * group_c + channel) * conv.k + group * group_k;
    }
    Tile tile;
    tile.multiply(source);

    const Place place = shared_place[0];
    const bool aligned = conv.c % 4 == 0 && place.group_c % 4 == 0 && aligned16(dx);
    tile.each([&](int row, int column, const Vec<float, 4>& sum) {
        const int pixel = image_pixel[row], channel = place.channel + column;
        if (pixel >= 0) {
            float* to = dx + place.first + static_cast<long long>(pixel) * conv.c + channel;
            store_up_to_4(to, sum, place.group_c - channel, aligned);
        }
    });
}

/// Pixels of a strip: a tap's filter elements are loaded once for it.
inline constexpr int kStrip = 4;

template <int Lanes>
QUERN_DEVICE void direct(const float* dy, const float* filter, float* dx, const Convolution& conv, const Strips& strips,
                         Divider by_stride_h, Divider by_stride_w) {
    const int index = static_cast<int>(global_index());
    if (index >= strips.count) {
        return;
    }
    const Strip strip(strips, index);
    const int channel = strip.lane * Lanes, column = strip.first * kStrip;
    const int group_c = conv.group_c(), group = channel / group_c;
    const int first_k = Lanes > 1 ? channel : group * conv.group_k(), terms = Lanes > 1 ? 1 : conv.group_k();
    const float* image = dy + static_cast<long long>(strip.image) * conv.p * conv.q * conv.k + first_k;
    Vec<float, Lanes> sums[kStrip] = {};
    for (int i = 0; i < conv.r; i++) {
        const int y = strip.row + conv.padding_h - i * conv.dilation_h;
        const int p = y < 0 ? 0 : by_stride_h.quotient(y);
        if (y < 0 || p * conv.stride_h != y || p >= conv.p) {
            continue;
        }
        for (int j = 0; j < conv.s; j++) {
            const int x = column + conv.padding_w - j * conv.dilation_w;
            int at[kStrip];
#pragma unroll
            for (int o = 0; o < kStrip; o++) {
                const int q = x + o < 0 ? 0 : by_stride_w.quotient(x + o);
                at[o] = x + o < 0 || q * conv.stride_w != x + o || q >= conv.q ? -1 : (p * conv.q + q) * conv.k;
            }
            const float* weights =
                filter + (static_cast<long long>(i * conv.s + j) * group_c + channel - group * group_c) * conv.k + first_k;
            for (int term = 0; term < terms; term++) {
                const Vec<float, Lanes> weight = load_vec<float, Lanes>(weights + term);
#pragma unroll
                for (int o = 0; o < kStrip; o++) {
                    if (at[o] >= 0) {
                        const Vec<float, Lanes> value = load_vec<float, Lanes>(image + at[o] + term);
#pragma unroll
                        for (int lane = 0; lane < Lanes; lane++) {
                            sums[o][lane] = fmaf(value[lane], weight[lane], sums[o][lane]);
                        }
                    }
                }
            }
        }
    }
    float* to = dx + ((static_cast<long long>(strip.image) * conv.h + strip.row) * conv.w + column) * conv.c + channel;
#pragma unroll
    for (int o = 0; o < kStrip; o++) {
        if (column + o < conv.w) {
            store_vec(to + o * conv.c, sums[o]);
        }
    }
}

}  // namespace quern::conv2d_backward_data

#define QUERN_CONV2D_BACKWARD_DATA(name, rows, columns, sum_rows, sum_columns, depth, vector)                         \
    QUERN_KERNEL_BLOCKS(256, 2, name##_##rows##x##columns, const float* dy, const float* filter, float* dx,            \
                        quern::Convolution conv, int splits) {                                                         \
        quern::conv2d_backward_data::tiles<quern::Tile<rows, columns, sum_rows, sum_columns, depth>, vector>(          \
            dy, filter, dx, conv, splits);                                                                             \
    }

QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_f32, 128, 128, 8, 8, 8, true)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_f32, 128, 64, 8, 4, 16, true)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_f32, 64, 64, 4, 4, 16, true)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_any_f32, 128, 64, 8, 4, 16, false)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_any_f32, 64, 64, 4, 4, 16, false)

QUERN_KERNEL(256, conv2d_backward_data_direct_f32_1, const float* dy, const float* filter, float* dx,
             quern::Convolution conv, quern::Strips strips, quern::Divider by_stride_h, quern::Divider by_stride_w) {
    quern::conv2d_backward_data::direct<1>(dy, filter, dx, conv, strips, by_stride_h, by_stride_w);
}

QUERN_KERNEL(256, conv2d_backward_data_direct_f32_4, const float* dy, const float* filter, float* dx,
             quern::Convolution conv, quern::Strips strips, quern::Divider by_stride_h, quern::Divider by_stride_w) {
    quern::conv2d_backward_data::direct<4>(dy, filter, dx, conv, strips, by_stride_h, by_stride_w);
}
