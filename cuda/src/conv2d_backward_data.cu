// dx, the gradient of a convolution by its image, NHWC, f32 or bf16. Image rows whose distance from the padded edge has the same
// remainder by the stride are seen by the same taps: each pair of remainders (rows, columns) is a matrix product of its own,
// (pixels, taps and result channels) by (taps and result channels, channels), and no product is with a zero between strides.
// conv2d_backward_data_f32_{128x128,128x64,64x64}   on CUDA cores; block 256, grid (tiles of pixels * tiles of channels, groups,
//   remainders * splits); channels per group, c, k and all addresses are multiples of 4 (addresses: of 16 bytes)
// conv2d_backward_data_any_f32_{128x64,64x64}       the same without that condition
// conv2d_backward_data_{bf16,tf32}_{128x128,128x64,64x64}, conv2d_backward_data_any_{bf16,tf32}_64x64   the same on tensor cores,
//   as in conv2d.cu
// conv2d_backward_data_direct_{f32_1,f32_4,bf16_1,bf16_8}   a thread per strip of 4 pixels and 1, 4 or 8 channels (these:
//   depthwise, aligned)
// With splits > 1, dx is a space for the partial sums (splits, dx) in f32, which conv2d_finish (conv2d.cu) adds.
// gate: conv2d_backward_data_bf16_128x128 49152
// gate: conv2d_backward_data_bf16_128x64 36864
// gate: conv2d_backward_data_bf16_64x64 24576
// gate: conv2d_backward_data_any_bf16_64x64 24576
// gate: conv2d_backward_data_tf32_128x128 49152
// gate: conv2d_backward_data_tf32_128x64 36864
// gate: conv2d_backward_data_tf32_64x64 24576
// gate: conv2d_backward_data_any_tf32_64x64 24576
#include "strips.cuh"
#include "taps_mma.cuh"

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

/// What a block makes: a tile of the pixels with one pair of remainders and of channels of a group, from a part of the terms.
struct Part {
    Remainder rows, columns;
    int group, pixel, channel, pixels, split, first, end;

    QUERN_DEVICE Part(const Convolution& conv, int splits, int height, int width, int depth)
        : rows(remainder(conv) / conv.stride_w, conv.h, conv.padding_h, conv.stride_h, conv.dilation_h, conv.r),
          columns(remainder(conv) % conv.stride_w, conv.w, conv.padding_w, conv.stride_w, conv.dilation_w, conv.s) {
        const int tiles_c = ceil_div(conv.group_c(), width), block = static_cast<int>(blockIdx.x);
        group = static_cast<int>(blockIdx.y);
        pixel = block / tiles_c * height;
        channel = block % tiles_c * width;
        pixels = conv.n * rows.count * columns.count;
        split = static_cast<int>(blockIdx.z) / (conv.stride_h * conv.stride_w);
        const int terms = rows.taps * columns.taps * conv.group_k(), all_steps = ceil_div(terms, depth);
        const int per_split = ceil_div(all_steps, splits);
        first = min_of(split * per_split, all_steps) * depth;
        end = min_of(first + per_split * depth, terms);
    }

    QUERN_DEVICE static int remainder(const Convolution& conv) {
        return static_cast<int>(blockIdx.z) % (conv.stride_h * conv.stride_w);
    }

    QUERN_DEVICE Taps taps(const Convolution& conv) const {
        const int across = columns.result_step * conv.k, filter_tap = conv.group_c() * conv.k, group_k = conv.group_k();
        const int taps_x = max_of(columns.taps, 1);
        return {max_of(group_k, 1), taps_x, -rows.result_step, -columns.result_step, -across - group_k,
                taps_x * across - rows.result_step * conv.q * conv.k, columns.tap_step * filter_tap - group_k,
                (rows.tap_step * conv.s - taps_x * columns.tap_step) * filter_tap};
    }

    /// Filter elements in front of those of the first tap and the part's first channel.
    QUERN_DEVICE long long first_tap(const Convolution& conv) const {
        const int tap = rows.first_tap * conv.s + columns.first_tap;
        return (static_cast<long long>(tap) * conv.group_c() + channel) * conv.k + group * conv.group_k();
    }

    /// Which pixel of the image, in order, the part's i-th one is; -1 for none.
    QUERN_DEVICE int image_pixel(const Convolution& conv, int i) const {
        const int own = pixel + i, row = own / columns.count, image = row / rows.count;
        const int y = remainder(conv) / conv.stride_w + conv.stride_h * (rows.first + row - image * rows.count) - conv.padding_h;
        const int x = remainder(conv) % conv.stride_w + conv.stride_w * (columns.first + own - row * columns.count) - conv.padding_w;
        return own < pixels ? (image * conv.h + y) * conv.w + x : -1;
    }

    /// The result pixel that the first tap sees from the part's i-th pixel.
    QUERN_DEVICE void result(int i, int& image, int& y, int& x) const {
        const int own = pixel + i, row = own / columns.count;
        image = row / rows.count;
        y = rows.first + row - image * rows.count + rows.base;
        x = columns.first + own - row * columns.count + columns.base;
    }
};

/// A block's first channel within the group, the group's channels, the place of the first of these in dx.
struct Place {
    int channel, group_c;
    long long first;
};

template <class Tile, bool Vector>
QUERN_DEVICE void tiles(const float* dy, const float* filter, float* dx, const Convolution& conv, int splits) {
    const Part part(conv, splits, Tile::kRows, Tile::kColumns, Tile::kDepth);
    if (part.pixel >= part.pixels) {
        return;  // the grid is as large as the largest remainder wants
    }
    const int group_c = conv.group_c(), group_k = conv.group_k();
    // what is needed seldom waits in shared memory: registers are short
    QUERN_SHARED(Taps, shared_taps, [1]);
    QUERN_SHARED(int, image_pixel, [Tile::kRows]);
    QUERN_SHARED(Place, shared_place, [1]);
    const Taps taps = part.taps(conv);
    if (threadIdx.x == 0) {
        shared_taps[0] = taps;
        shared_place[0] = {part.channel, group_c,
                           part.split * (static_cast<long long>(conv.n) * conv.h * conv.w * conv.c) + part.group * group_c};
    }
    for (int i = static_cast<int>(threadIdx.x); i < Tile::kRows; i += kTileThreads) {
        image_pixel[i] = part.image_pixel(conv, i);
    }
    block_barrier();
    const int term = part.first + Along<Tile::kDepth, Tile::kRows>::term();
    Source<Tile, Vector> source{shared_taps[0], TapWalk(taps, term), part.end - part.first, conv.p, conv.q, {}, {}};
#pragma unroll
    for (int i = 0; i < source.a.kCount; i++) {
        if (part.pixel + source.a.line(i) < part.pixels) {
            int image, y, x;
            part.result(source.a.line(i), image, y, x);
            const long long at = (static_cast<long long>(image) * conv.p + y) * conv.q + x;
            source.a.place(i, y, x, dy + at * conv.k + part.group * group_k);
        } else {
            source.a.place(i, kOutside, 0, dy);
        }
    }
    source.b.lines = group_c - part.channel;
#pragma unroll
    for (int i = 0; i < source.b.kCount; i++) {
        source.b.from[i] = filter + part.first_tap(conv) + static_cast<long long>(source.b.line(i)) * conv.k;
    }
    Tile tile;
    tile.multiply(source);

    const Place place = shared_place[0];
    const bool aligned = conv.c % 4 == 0 && place.group_c % 4 == 0 && aligned16(dx);
    tile.each([&](int row, int column, const Vec<float, 4>& sum) {
        const int pixel = image_pixel[row], channel = place.channel + column, valid = place.group_c - channel;
        if (pixel >= 0) {
            store_floats(dx + place.first + static_cast<long long>(pixel) * conv.c + channel, sum, aligned && valid >= 4, valid);
        }
    });
}

template <class T, int BM, int BN, bool Vector>
struct MmaSource {
    const Taps& taps;
    TapWalk walk;
    int left;
    WindowOperand<T, BM, Vector> a;
    FilterOperand<T, BN, Vector> b;

    QUERN_DEVICE void load(char* tile_a, char* tile_b) {
        a.load(tile_a, taps, walk, left);
        b.load(tile_b, taps, walk, left);
        walk.advance(taps, kMmaDepth<T>);
        left -= kMmaDepth<T>;
    }

    QUERN_DEVICE void settle(char* tile_a, char* tile_b) {
        a.settle(tile_a);
        b.settle(tile_b);
    }
};

/// The same on tensor cores.
template <class T, int BM, int BN, bool Vector>
QUERN_DEVICE void tiles_mma(const T* dy, const T* filter, Target dx, const Convolution& conv, int splits) {
    using A = WindowOperand<T, BM, Vector>;
    using B = FilterOperand<T, BN, Vector>;
    using Tile = MmaTile<A, B, BM, BN, kMmaStages>;
    QUERN_DYNAMIC_SHARED(char, memory);
    QUERN_SHARED(Taps, shared_taps, [1]);
    QUERN_SHARED(int, image_pixel, [BM]);
    QUERN_SHARED(Place, shared_place, [1]);
    const Part part(conv, splits, BM, BN, Tile::Depth);
    if (part.pixel >= part.pixels) {
        return;  // the grid is as large as the largest remainder wants
    }
    const int group_c = conv.group_c(), group_k = conv.group_k();
    const Taps taps = part.taps(conv);
    if (threadIdx.x == 0) {
        shared_taps[0] = taps;
        shared_place[0] = {part.channel, group_c,
                           part.split * (static_cast<long long>(conv.n) * conv.h * conv.w * conv.c) + part.group * group_c};
    }
    for (int i = static_cast<int>(threadIdx.x); i < BM; i += kMmaThreads) {
        image_pixel[i] = part.image_pixel(conv, i);
    }
    block_barrier();
    MmaSource<T, BM, BN, Vector> source{shared_taps[0], TapWalk(taps, part.first + A::own_element()), part.end - part.first, {}, {}};
    int first_image, y, x;
    part.result(0, first_image, y, x);
    source.a.image = dy + static_cast<long long>(first_image) * conv.p * conv.q * conv.k + part.group * group_k;
    source.a.height = conv.p;
    source.a.width = conv.q;
#pragma unroll
    for (int i = 0; i < A::kCount; i++) {
        const int line = A::own_line() + i * A::kLineStep;
        if (part.pixel + line < part.pixels) {
            int image;
            part.result(line, image, y, x);
            source.a.place(i, y, x, (((image - first_image) * conv.p + y) * conv.q + x) * conv.k);
        } else {
            source.a.place(i, kOutside, 0, 0);
        }
    }
    source.b.from = filter + part.first_tap(conv) + static_cast<long long>(B::own_line()) * conv.k;
    source.b.pitch = conv.k;
    source.b.lines = group_c - part.channel;
    Tile tile;
    tile.multiply(memory, source, ceil_div(part.end - part.first, Tile::Depth));

    const Place place = shared_place[0];
    const bool whole = conv.c % 8 == 0 && place.group_c % 8 == 0;
    tile.each(memory, [&](int row, int column, Vec<float, 8>& run) {
        const int pixel = image_pixel[row], channel = place.channel + column, valid = place.group_c - channel;
        if (pixel >= 0 && valid > 0) {
            const long long to = place.first + static_cast<long long>(pixel) * conv.c + channel;
            store_mixed(dx.at, dx.narrow, to, run, whole && valid >= 8, valid);
        }
    });
}

/// Pixels of a strip: a tap's filter elements are loaded once for it.
inline constexpr int kStrip = 4;

template <class T, int Lanes>
QUERN_DEVICE void direct(const T* dy, const T* filter, Target dx, const Convolution& conv, const Strips& strips,
                         Divider by_stride_h, Divider by_stride_w) {
    const int index = static_cast<int>(global_index());
    if (index >= strips.count) {
        return;
    }
    const Strip strip(strips, index);
    const int channel = strip.lane * Lanes, column = strip.first * kStrip;
    const int group_c = conv.group_c(), group = channel / group_c;
    const int first_k = Lanes > 1 ? channel : group * conv.group_k(), terms = Lanes > 1 ? 1 : conv.group_k();
    const T* image = dy + static_cast<long long>(strip.image) * conv.p * conv.q * conv.k + first_k;
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
            const T* weights =
                filter + (static_cast<long long>(i * conv.s + j) * group_c + channel - group * group_c) * conv.k + first_k;
            for (int term = 0; term < terms; term++) {
                Vec<float, Lanes> weight = load_floats<Lanes>(weights + term);
#pragma unroll
                for (int o = 0; o < kStrip; o++) {
                    if (at[o] >= 0) {
                        Vec<float, Lanes> value = load_floats<Lanes>(image + at[o] + term);
#pragma unroll
                        for (int lane = 0; lane < Lanes; lane++) {
                            sums[o][lane] = fmaf(value[lane], weight[lane], sums[o][lane]);
                        }
                    }
                }
            }
        }
    }
    const long long to = ((static_cast<long long>(strip.image) * conv.h + strip.row) * conv.w + column) * conv.c + channel;
#pragma unroll
    for (int o = 0; o < kStrip; o++) {
        if (column + o < conv.w) {
            store_mixed(dx.at, dx.narrow, to + o * conv.c, sums[o], true, Lanes);
        }
    }
}

}  // namespace quern::conv2d_backward_data

#define QUERN_CONV2D_BACKWARD_DATA(name, rows, columns, sum_rows, sum_columns, depth, vector)                         \
    QUERN_KERNEL_BLOCKS(256, 2, name##_##rows##x##columns, const float* dy, const float* filter, quern::Target dx,     \
                        quern::Convolution conv, int splits) {                                                         \
        quern::conv2d_backward_data::tiles<quern::Tile<rows, columns, sum_rows, sum_columns, depth>, vector>(          \
            dy, filter, static_cast<float*>(dx.at), conv, splits);                                                                             \
    }

QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_f32, 128, 128, 8, 8, 8, true)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_f32, 128, 64, 8, 4, 16, true)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_f32, 64, 64, 4, 4, 16, true)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_any_f32, 128, 64, 8, 4, 16, false)
QUERN_CONV2D_BACKWARD_DATA(conv2d_backward_data_any_f32, 64, 64, 4, 4, 16, false)

#define QUERN_CONV2D_BACKWARD_DATA_MMA(name, type, blocks, rows, columns, vector)                                     \
    QUERN_KERNEL_BLOCKS(128, blocks, name##_##rows##x##columns, const type* dy, const type* filter, quern::Target dx,  \
                        quern::Convolution conv, int splits) {                                                         \
        quern::conv2d_backward_data::tiles_mma<type, rows, columns, vector>(dy, filter, dx, conv, splits);             \
    }

QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_bf16, quern::bf16, 2, 128, 128, true)
// Told to leave room for three, ptxas spills before compute capability 9.0, where its 168 registers leave it anyway.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#define QUERN_BLOCKS_OF_128X64 2
#else
#define QUERN_BLOCKS_OF_128X64 3
#endif
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_bf16, quern::bf16, QUERN_BLOCKS_OF_128X64, 128, 64, true)
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_bf16, quern::bf16, 4, 64, 64, true)
#undef QUERN_BLOCKS_OF_128X64
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_any_bf16, quern::bf16, 3, 64, 64, false)
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_tf32, float, 2, 128, 128, true)
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_tf32, float, 3, 128, 64, true)
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_tf32, float, 4, 64, 64, true)
QUERN_CONV2D_BACKWARD_DATA_MMA(conv2d_backward_data_any_tf32, float, 3, 64, 64, false)

#define QUERN_CONV2D_BACKWARD_DATA_DIRECT(name, type, lanes)                                                          \
    QUERN_KERNEL(256, name##_##lanes, const type* dy, const type* filter, quern::Target dx, quern::Convolution conv,   \
                 quern::Strips strips, quern::Divider by_stride_h, quern::Divider by_stride_w) {                       \
        quern::conv2d_backward_data::direct<type, lanes>(dy, filter, dx, conv, strips, by_stride_h, by_stride_w);      \
    }

QUERN_CONV2D_BACKWARD_DATA_DIRECT(conv2d_backward_data_direct_f32, float, 1)
QUERN_CONV2D_BACKWARD_DATA_DIRECT(conv2d_backward_data_direct_f32, float, 4)
QUERN_CONV2D_BACKWARD_DATA_DIRECT(conv2d_backward_data_direct_bf16, quern::bf16, 1)
QUERN_CONV2D_BACKWARD_DATA_DIRECT(conv2d_backward_data_direct_bf16, quern::bf16, 8)
