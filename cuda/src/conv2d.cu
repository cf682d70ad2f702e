// y = f(x * filter + bias), NHWC, f32 or bf16. A matrix product of (pixels, taps and channels) by (taps and channels, result
// channels) whose left operand is gathered while it is multiplied; groups that are too narrow for tiles are summed directly.
// conv2d_f32_{128x128,128x64,64x64}   tiles of pixels x result channels on CUDA cores; block 256, grid (tiles of pixels * tiles
//   of channels, groups, splits). Image and result channels per group are multiples of 4, addresses of 16 bytes.
// conv2d_any_f32_{128x64,64x64}       the same without that condition
// conv2d_{bf16,tf32}_{128x128,128x64,64x64}, conv2d_any_{bf16,tf32}_64x64   the same on tensor cores, bf16 operands (multiples of 8
//   channels) or f32 ones rounded to tf32; block 128, dynamic shared memory of 192 (rows + columns) bytes
// conv2d_finish                       with splits > 1: adds the partial sums (splits, y) in order; 8 elements per thread
// conv2d_direct_{f32_1,f32_4,bf16_1,bf16_8}   a thread per strip of 4 pixels and 1, 4 or 8 channels (these: depthwise, aligned)
// bias, preactivation may be null; partial is null where splits is 1.
// gate: conv2d_bf16_128x128 49152
// gate: conv2d_bf16_128x64 36864
// gate: conv2d_bf16_64x64 24576
// gate: conv2d_any_bf16_64x64 24576
// gate: conv2d_tf32_128x128 49152
// gate: conv2d_tf32_128x64 36864
// gate: conv2d_tf32_64x64 24576
// gate: conv2d_any_tf32_64x64 24576
#include "activation.cuh"
#include "strips.cuh"
#include "taps_mma.cuh"

namespace quern::conv2d {

using Epilogue = ConvolutionEnd;

template <class Tile, bool Vector>
struct Source {
    const Taps& taps;
    TapWalk walk;
    int left, height, width;
    WindowLoader<Tile::kDepth, Tile::kRows, Vector> a;
    LineLoader<Tile::kDepth, Tile::kColumns, Vector> b;

    QUERN_DEVICE void load(float* tile_a, float* tile_b) {
        const int term = Along<Tile::kDepth, Tile::kRows>::term();
        if constexpr (Vector) {
            a.load(tile_a, walk, term < left, height, width, 0);
        } else {
            TapWalk element = walk;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                a.load(tile_a, element, term + j < left, height, width, j);
                if (j < 3) {
                    element.advance(taps, 1);
                }
            }
        }
        walk.advance(taps, Tile::kDepth);
        b.load(tile_b, left);
    }
};

/// What a block makes: a tile of pixels and channels of a group, from a part of the terms.
struct Part {
    int group, pixel, channel, pixels, first, end;

    QUERN_DEVICE Part(const Convolution& conv, int rows, int columns, int depth) {
        const int tiles_k = ceil_div(conv.group_k(), columns), block = static_cast<int>(blockIdx.x);
        group = static_cast<int>(blockIdx.y);
        pixel = block / tiles_k * rows;
        channel = block % tiles_k * columns;
        pixels = conv.result_pixels();
        const int terms = conv.r * conv.s * conv.group_c(), all_steps = ceil_div(terms, depth);
        const int per_split = ceil_div(all_steps, static_cast<int>(gridDim.z));
        first = min_of(static_cast<int>(blockIdx.z) * per_split, all_steps) * depth;
        end = min_of(first + per_split * depth, terms);
    }
};

QUERN_DEVICE Taps taps_of(const Convolution& conv) {
    const int group_c = conv.group_c(), across = conv.dilation_w * conv.c;
    return {max_of(group_c, 1), conv.s, conv.dilation_h, conv.dilation_w, across - group_c,
            conv.dilation_h * conv.w * conv.c - conv.s * across, 0, 0};
}

/// A block's first pixel and channel, and all pixels.
struct Place {
    int pixel, channel, pixels;
};

template <class Tile, bool Vector>
QUERN_DEVICE void tiles(const float* x, const float* filter, const Epilogue& epilogue, float* partial, const Convolution& conv) {
    const Part part(conv, Tile::kRows, Tile::kColumns, Tile::kDepth);
    const int group_c = conv.group_c(), group_k = conv.group_k(), group = part.group, splits = static_cast<int>(gridDim.z);
    Tile tile;
    const Taps taps = taps_of(conv);
    // what is needed seldom waits in shared memory: registers are short
    QUERN_SHARED(Taps, shared_taps, [1]);
    QUERN_SHARED(Place, shared_place, [1]);
    if (threadIdx.x == 0) {
        shared_taps[0] = taps;
        shared_place[0] = {part.pixel, part.channel, part.pixels};
    }
    block_barrier();
    Source<Tile, Vector> source{
        shared_taps[0], TapWalk(taps, part.first + Along<Tile::kDepth, Tile::kRows>::term()), part.end - part.first,
        conv.h, conv.w, {},
        {filter + group * group_k, conv.k, part.first, part.channel, group_k}};
#pragma unroll
    for (int i = 0; i < source.a.kCount; i++) {
        const int pixel = part.pixel + source.a.line(i);
        if (pixel < part.pixels) {
            const Origin origin(conv, pixel);
            const long long at = (static_cast<long long>(origin.image) * conv.h + origin.y) * conv.w + origin.x;
            source.a.place(i, origin.y, origin.x, x + at * conv.c + group * group_c);
        } else {
            source.a.place(i, kOutside, 0, x);
        }
    }
    tile.multiply(source);

    const Place place = shared_place[0];
    const int first_k = group * group_k;
    const bool aligned = conv.k % 4 == 0 && group_k % 4 == 0;
    tile.each([&](int row, int column, const Vec<float, 4>& sum) {
        const int pixel = place.pixel + row, channel = place.channel + column, valid = group_k - channel;
        if (pixel < place.pixels) {
            const long long at = static_cast<long long>(pixel) * conv.k + first_k + channel;
            const bool whole = aligned && valid >= 4;
            if (splits > 1) {
                const long long all = static_cast<long long>(place.pixels) * conv.k;
                store_floats(partial + blockIdx.z * all + at, sum, whole, valid);
            } else {
                Vec<float, 4> run = sum;
                epilogue.finish<4, true>(at, first_k + channel, valid, whole, run);
            }
        }
    });
    if (splits == 1 && !is_simple(epilogue.kind)) {
        Tile::each_place([&](int row, int column) {
            const int pixel = place.pixel + row, channel = place.channel + column;
            float* y = static_cast<float*>(epilogue.y) + static_cast<long long>(pixel) * conv.k + first_k + channel;
            for (int i = 0; i < 4 && pixel < place.pixels && channel + i < group_k; i++) {
                y[i] = activate<float>(y[i], epilogue.kind);
            }
        });
    }
}

template <class T, int BM, int BN, bool Vector>
struct MmaSource {
    const Taps& taps;
    TapWalk walk;
    int left;
    WindowOperand<T, BM, Vector> a;
    MatrixOperand<T, BN, false, Vector> b;

    QUERN_DEVICE void load(char* tile_a, char* tile_b) {
        a.load(tile_a, taps, walk, left);
        b.load(tile_b);
        walk.advance(taps, kMmaDepth<T>);
        left -= kMmaDepth<T>;
    }

    QUERN_DEVICE void settle(char* tile_a, char*) { a.settle(tile_a); }
};

/// The same on tensor cores.
template <class T, int BM, int BN, bool Vector>
QUERN_DEVICE void tiles_mma(const T* x, const T* filter, const Epilogue& epilogue, float* partial, const Convolution& conv) {
    using Source = MmaSource<T, BM, BN, Vector>;
    using A = WindowOperand<T, BM, Vector>;
    using Tile = MmaTile<A, MatrixOperand<T, BN, false, Vector>, BM, BN, kMmaStages>;
    QUERN_DYNAMIC_SHARED(char, memory);
    QUERN_SHARED(Taps, shared_taps, [1]);
    const Part part(conv, BM, BN, Tile::Depth);
    const int group_k = conv.group_k(), splits = static_cast<int>(gridDim.z);
    const Taps taps = taps_of(conv);
    if (threadIdx.x == 0) {
        shared_taps[0] = taps;
    }
    block_barrier();
    Source source{shared_taps[0], TapWalk(taps, part.first + A::own_element()), part.end - part.first, {},
                  {filter + part.group * group_k, conv.k, part.first, part.end, part.channel, group_k}};
    const int first_image = Origin(conv, part.pixel).image;
    source.a.image = x + static_cast<long long>(first_image) * conv.h * conv.w * conv.c + part.group * conv.group_c();
    source.a.height = conv.h;
    source.a.width = conv.w;
#pragma unroll
    for (int i = 0; i < A::kCount; i++) {
        const int pixel = part.pixel + A::own_line() + i * A::kLineStep;
        if (pixel < part.pixels) {
            const Origin origin(conv, pixel);
            source.a.place(i, origin.y, origin.x,
                           (((origin.image - first_image) * conv.h + origin.y) * conv.w + origin.x) * conv.c);
        } else {
            source.a.place(i, kOutside, 0, 0);
        }
    }
    Tile tile;
    tile.multiply(memory, source, ceil_div(part.end - part.first, Tile::Depth));

    const bool whole = conv.k % 8 == 0 && group_k % 8 == 0;
    tile.each(memory, [&](int row, int column, Vec<float, 8>& run) {
        const int pixel = part.pixel + row, channel = part.channel + column, valid = group_k - channel;
        if (pixel < part.pixels && valid > 0) {
            const int own = part.group * group_k + channel;
            const long long at = static_cast<long long>(pixel) * conv.k + own;
            if (splits > 1) {
                const long long all = static_cast<long long>(part.pixels) * conv.k;
                store_floats(partial + blockIdx.z * all + at, run, whole && valid >= 8, valid);
            } else {
                epilogue.finish<8>(at, own, valid, whole && valid >= 8, run);
            }
        }
    });
}

/// Pixels of a strip: what their taps share, is loaded once.
inline constexpr int kStrip = 4;

template <class T, int Lanes>
QUERN_DEVICE void direct(const T* x, const T* filter, const Epilogue& e, const Convolution& conv, const Strips& strips) {
    const int index = static_cast<int>(global_index());
    if (index >= strips.count) {
        return;
    }
    const Strip strip(strips, index);
    const int channel = strip.lane * Lanes, column = strip.first * kStrip;
    // lanes are of groups with a channel each
    const int group_c = conv.group_c(), terms = Lanes > 1 ? 1 : group_c;
    const T* image = x + static_cast<long long>(strip.image) * conv.h * conv.w * conv.c + channel / conv.group_k() * group_c;
    const int y0 = strip.row * conv.stride_h - conv.padding_h, x0 = column * conv.stride_w - conv.padding_w;
    Vec<float, Lanes> sums[kStrip] = {};
    for (int i = 0; i < conv.r; i++) {
        const int from_y = y0 + i * conv.dilation_h;
        if (from_y < 0 || from_y >= conv.h) {
            continue;
        }
        for (int j = 0; j < conv.s; j++) {
            const T* weights = filter + static_cast<long long>(i * conv.s + j) * group_c * conv.k + channel;
            const int from_x = x0 + j * conv.dilation_w;
            const T* from = image + (static_cast<long long>(from_y) * conv.w + from_x) * conv.c;
            for (int term = 0; term < terms; term++) {
                Vec<float, Lanes> weight = load_floats<Lanes>(weights + static_cast<long long>(term) * conv.k);
#pragma unroll
                for (int o = 0; o < kStrip; o++) {
                    const int at = from_x + o * conv.stride_w;
                    if (at >= 0 && at < conv.w) {
                        Vec<float, Lanes> value = load_floats<Lanes>(from + static_cast<long long>(o) * conv.stride_w * conv.c + term);
#pragma unroll
                        for (int lane = 0; lane < Lanes; lane++) {
                            sums[o][lane] = fmaf(value[lane], weight[lane], sums[o][lane]);
                        }
                    }
                }
            }
        }
    }
    const long long to = ((static_cast<long long>(strip.image) * conv.p + strip.row) * conv.q + column) * conv.k + channel;
    // one copy of the epilogue's code
#pragma unroll 1
    for (int o = 0; o < kStrip && column + o < conv.q; o++) {
        Vec<float, Lanes> run{};
#pragma unroll
        for (int other = 0; other < kStrip; other++) {
            if (other == o) {
                run = sums[other];
            }
        }
        e.finish<Lanes>(to + o * conv.k, channel, Lanes, true, run);
    }
}

}  // namespace quern::conv2d

#define QUERN_CONV2D(name, rows, columns, sum_rows, sum_columns, depth, vector)                                        \
    QUERN_KERNEL_BLOCKS(256, 2, name##_##rows##x##columns, const float* x, const float* filter,                        \
                        quern::conv2d::Epilogue epilogue, float* partial, quern::Convolution conv) {                   \
        quern::conv2d::tiles<quern::Tile<rows, columns, sum_rows, sum_columns, depth>, vector>(x, filter, epilogue,    \
                                                                                               partial, conv);         \
    }

QUERN_CONV2D(conv2d_f32, 128, 128, 8, 8, 8, true)
QUERN_CONV2D(conv2d_f32, 128, 64, 8, 4, 16, true)
QUERN_CONV2D(conv2d_f32, 64, 64, 4, 4, 16, true)
QUERN_CONV2D(conv2d_any_f32, 128, 64, 8, 4, 16, false)
QUERN_CONV2D(conv2d_any_f32, 64, 64, 4, 4, 16, false)

#define QUERN_CONV2D_MMA(name, type, blocks, rows, columns, vector)                                                    \
    QUERN_KERNEL_BLOCKS(128, blocks, name##_##rows##x##columns, const type* x, const type* filter,                     \
                        quern::conv2d::Epilogue epilogue, float* partial, quern::Convolution conv) {                   \
        quern::conv2d::tiles_mma<type, rows, columns, vector>(x, filter, epilogue, partial, conv);                     \
    }

QUERN_CONV2D_MMA(conv2d_bf16, quern::bf16, 2, 128, 128, true)
QUERN_CONV2D_MMA(conv2d_bf16, quern::bf16, 3, 128, 64, true)
QUERN_CONV2D_MMA(conv2d_bf16, quern::bf16, 4, 64, 64, true)
QUERN_CONV2D_MMA(conv2d_any_bf16, quern::bf16, 4, 64, 64, false)
QUERN_CONV2D_MMA(conv2d_tf32, float, 2, 128, 128, true)
QUERN_CONV2D_MMA(conv2d_tf32, float, 3, 128, 64, true)
QUERN_CONV2D_MMA(conv2d_tf32, float, 4, 64, 64, true)
QUERN_CONV2D_MMA(conv2d_any_tf32, float, 4, 64, 64, false)

QUERN_KERNEL(256, conv2d_finish, const float* partial, quern::ConvolutionEnd end, long long elements, int k, int splits) {
    constexpr int N = 8;
    const long long i = quern::global_index() * N;
    if (i >= elements) {
        return;
    }
    const int valid = static_cast<int>(quern::min_of(elements - i, static_cast<long long>(N)));
    const bool whole = k % N == 0;
    double sums[N] = {};
    for (int split = 0; split < splits; split++) {
        quern::Vec<float, N> part = quern::load_floats<N>(partial + split * elements + i, whole, valid);
#pragma unroll
        for (int j = 0; j < N; j++) {
            sums[j] += part[j];
        }
    }
    if (whole) {
        quern::Vec<float, N> run;
#pragma unroll
        for (int j = 0; j < N; j++) {
            run[j] = static_cast<float>(sums[j]);
        }
        end.finish<N>(i, static_cast<int>(i % k), N, true, run);
        return;
    }
    // neighbours may be of several pixels
#pragma unroll 1
    for (int j = 0; j < valid; j++) {
        quern::Vec<float, 1> run{};
#pragma unroll
        for (int other = 0; other < N; other++) {
            run[0] = other == j ? static_cast<float>(sums[other]) : run[0];
        }
        end.finish<1>(i + j, static_cast<int>((i + j) % k), 1, false, run);
    }
}

#define QUERN_CONV2D_DIRECT(name, type, lanes)                                                                         \
    QUERN_KERNEL_BLOCKS(256, 2, name##_##lanes, const type* x, const type* filter, quern::conv2d::Epilogue epilogue,             \
                 quern::Convolution conv, quern::Strips strips) {                                                      \
        quern::conv2d::direct<type, lanes>(x, filter, epilogue, conv, strips);                                         \
    }

QUERN_CONV2D_DIRECT(conv2d_direct_f32, float, 1)
QUERN_CONV2D_DIRECT(conv2d_direct_f32, float, 4)
QUERN_CONV2D_DIRECT(conv2d_direct_bf16, quern::bf16, 1)
QUERN_CONV2D_DIRECT(conv2d_direct_bf16, quern::bf16, 8)
