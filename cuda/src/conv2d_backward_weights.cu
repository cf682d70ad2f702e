// dfilter, the gradient of a convolution by its filter, NHWC, f32 or bf16: a matrix product of (taps and channels, pixels) by
// (pixels, result channels), cut into pieces of the pixels whose sums are added in order.
// conv2d_backward_weights_f32_{128x128,128x64,64x64}   on CUDA cores; block 256, grid (tiles of taps and channels * tiles of
//   result channels, groups, splits). Image and result channels per group are multiples of 4, addresses of 16 bytes.
// conv2d_backward_weights_any_f32_{128x64,64x64}       the same without that condition
// conv2d_backward_weights_{bf16,tf32}_{128x128,128x64,64x64}, conv2d_backward_weights_any_{bf16,tf32}_64x64   the same on tensor
//   cores, as in conv2d.cu
// conv2d_backward_weights_direct_{f32_1,f32_4,bf16_1,bf16_8}   for narrow groups: a block sums 9 taps and channels of 32 result
//   channels over a piece of the pixels, 1, 4 or 8 channels per thread (these: depthwise, where k is a multiple); block 256,
//   grid (ceil(k / 32), ceil(r * s * c / groups / 9), splits)
// chunk: pixels of a piece, a multiple of 16, of bf16 tiles of 32. With splits > 1, dfilter is a space for the partial sums (splits,
// dfilter) in f32, which conv2d_finish (conv2d.cu) adds.
// gate: conv2d_backward_weights_bf16_128x128 49152
// gate: conv2d_backward_weights_bf16_128x64 36864
// gate: conv2d_backward_weights_bf16_64x64 24576
// gate: conv2d_backward_weights_any_bf16_64x64 24576
// gate: conv2d_backward_weights_tf32_128x128 49152
// gate: conv2d_backward_weights_tf32_128x64 36864
// gate: conv2d_backward_weights_tf32_64x64 24576
// gate: conv2d_backward_weights_any_tf32_64x64 24576
#include "taps_mma.cuh"

namespace quern::conv2d_backward_weights {

template <class Tile, bool Vector>
struct Source {
    int left;
    PixelLoader<Tile::kDepth, Tile::kRows, Vector> a;
    LineLoader<Tile::kDepth, Tile::kColumns, Vector> b;

    QUERN_DEVICE void load(float* tile_a, float* tile_b) {
        a.load(tile_a, left);
        b.load(tile_b, left);
    }
};

template <class Tile, bool Vector>
QUERN_DEVICE void tiles(const float* x, const float* dy, float* dfilter, int chunk, const Convolution& conv) {
    const int group_c = conv.group_c(), group_k = conv.group_k(), group = static_cast<int>(blockIdx.y);
    const int tiles_k = ceil_div(group_k, Tile::kColumns);
    const int block = static_cast<int>(blockIdx.x);
    const int row0 = block / tiles_k * Tile::kRows, channel0 = block % tiles_k * Tile::kColumns;
    const int rows = conv.r * conv.s * group_c, pixels = conv.result_pixels();
    const int first = static_cast<int>(blockIdx.z) * chunk, end = min_of(first + chunk, pixels);
    Source<Tile, Vector> source{end - first, {conv, x + group * group_c, first, row0, rows},
                                {dy + group * group_k, conv.k, first, channel0, group_k}};
    Tile tile;
    tile.multiply(source);

    const bool aligned = conv.k % 4 == 0 && group_k % 4 == 0 && aligned16(dfilter);
    float* to = dfilter + blockIdx.z * (static_cast<long long>(rows) * conv.k) + group * group_k;
    tile.each([&](int i, int column, const Vec<float, 4>& sum) {
        const int row = row0 + i, channel = channel0 + column, valid = group_k - channel;
        if (row < rows) {
            store_floats(to + static_cast<long long>(row) * conv.k + channel, sum, aligned && valid >= 4, valid);
        }
    });
}

template <class T, int BM, int BN, bool Vector>
struct MmaSource {
    int left;
    PixelOperand<T, BM, Vector> a;
    MatrixOperand<T, BN, false, Vector> b;

    QUERN_DEVICE void load(char* tile_a, char* tile_b) {
        a.load(tile_a, left);
        b.load(tile_b);
        left -= kMmaDepth<T>;
    }

    QUERN_DEVICE void settle(char* tile_a, char*) { a.settle(tile_a); }
};

/// The same on tensor cores.
template <class T, int BM, int BN, bool Vector>
QUERN_DEVICE void tiles_mma(const T* x, const T* dy, Target dfilter, int chunk, const Convolution& conv) {
    using A = PixelOperand<T, BM, Vector>;
    using B = MatrixOperand<T, BN, false, Vector>;
    using Tile = MmaTile<A, B, BM, BN, kMmaStages>;
    QUERN_DYNAMIC_SHARED(char, memory);
    QUERN_SHARED(TapPlace, places, [Vector ? 1 : BM]);
    const int group_c = conv.group_c(), group_k = conv.group_k(), group = static_cast<int>(blockIdx.y);
    const int tiles_k = ceil_div(group_k, BN), block = static_cast<int>(blockIdx.x);
    const int row0 = block / tiles_k * BM, channel0 = block % tiles_k * BN;
    const int rows = conv.r * conv.s * group_c;
    const int first = static_cast<int>(blockIdx.z) * chunk, end = min_of(first + chunk, conv.result_pixels());
    if (!Vector) {
        for (int i = static_cast<int>(threadIdx.x); i < BM; i += kMmaThreads) {
            places[i] = TapPlace(conv, row0 + i, rows);
        }
        block_barrier();
    }
    MmaSource<T, BM, BN, Vector> source{end - first, {conv, x + group * group_c, places, first, row0, rows},
                                        {dy + group * group_k, conv.k, first, end, channel0, group_k}};
    Tile tile;
    tile.multiply(memory, source, ceil_div(end - first, Tile::Depth));

    const bool whole = conv.k % 8 == 0 && group_k % 8 == 0;
    const long long to = blockIdx.z * (static_cast<long long>(rows) * conv.k) + group * group_k;
    tile.each(memory, [&](int i, int column, Vec<float, 8>& run) {
        const int row = row0 + i, channel = channel0 + column, valid = group_k - channel;
        if (row < rows && valid > 0) {
            const long long at = to + static_cast<long long>(row) * conv.k + channel;
            store_mixed(dfilter.at, dfilter.narrow, at, run, whole && valid >= 8, valid);
        }
    });
}

/// Rows of dfilter, and result channels, that one block of the direct form sums.
inline constexpr int kRows = 9, kChannels = 32;

/// Lanes: channels of a thread, neighbours of groups with a channel each where they are several.
template <class T, int Lanes>
QUERN_DEVICE void direct(const T* x, const T* dy, Target dfilter, int chunk, const Convolution& conv) {
    constexpr int kAcross = kChannels / Lanes, kLines = 256 / kAcross;
    QUERN_SHARED(float, shared, [8][kRows][kChannels]);
    QUERN_SHARED(TapPlace, places, [kRows]);
    const int thread = static_cast<int>(threadIdx.x), column = thread % kAcross * Lanes, line = thread / kAcross;
    const int channel = static_cast<int>(blockIdx.x) * kChannels + column, row0 = static_cast<int>(blockIdx.y) * kRows;
    const int group_c = Lanes > 1 ? 1 : conv.group_c(), rows = conv.r * conv.s * group_c, pixels = conv.result_pixels();
    const int first = static_cast<int>(blockIdx.z) * chunk, end = min_of(first + chunk, pixels);
    const bool whole = Lanes == 1 || (aligned16(x) && aligned16(dy));
    if (thread < kRows) {
        places[thread] = TapPlace(conv, row0 + thread, rows);
    }
    block_barrier();
    Vec<float, Lanes> sums[kRows] = {};
    if (channel < conv.k) {
        const T* image = x + (Lanes > 1 ? channel : channel / conv.group_k() * group_c);
        for (int pixel = first + line; pixel < end; pixel += kLines) {
            const auto gradient = load_floats<Lanes>(dy + static_cast<long long>(pixel) * conv.k + channel, whole);
            const Origin origin(conv, pixel);
            const T* from = image + ((static_cast<long long>(origin.image) * conv.h + origin.y) * conv.w + origin.x) * conv.c;
#pragma unroll
            for (int i = 0; i < kRows; i++) {
                const TapPlace& tap = places[i];
                if (within(origin.y + tap.y, origin.x + tap.x, conv.h, conv.w)) {
                    const auto value = load_floats<Lanes>(from + tap.offset, whole);
#pragma unroll
                    for (int j = 0; j < Lanes; j++) {
                        sums[i][j] = fmaf(value[j], gradient[j], sums[i][j]);
                    }
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < kRows; i++) {
#pragma unroll
        for (int j = 0; j < Lanes; j++) {
            // of the lines of a warp
#pragma unroll
            for (int lanes = kAcross; lanes < 32; lanes *= 2) {
                sums[i][j] += shuffle_xor(sums[i][j], lanes);
            }
            if (thread % 32 < kAcross) {
                shared[thread / 32][i][column + j] = sums[i][j];
            }
        }
    }
    block_barrier();
    const int own = static_cast<int>(blockIdx.x) * kChannels + thread % 32;
    for (int i = thread / 32; i < kRows; i += 8) {
        if (own < conv.k && row0 + i < rows) {
            Vec<float, 1> sum{{shared[0][i][thread % 32]}};
#pragma unroll
            for (int j = 1; j < 8; j++) {
                sum[0] += shared[j][i][thread % 32];
            }
            const long long at = (static_cast<long long>(blockIdx.z) * rows + row0 + i) * conv.k + own;
            store_mixed(dfilter.at, dfilter.narrow, at, sum, false, 1);
        }
    }
}

}  // namespace quern::conv2d_backward_weights

#define QUERN_CONV2D_BACKWARD_WEIGHTS(name, rows, columns, sum_rows, sum_columns, depth, vector)                      \
    QUERN_KERNEL_BLOCKS(256, 2, name##_##rows##x##columns, const float* x, const float* dy, quern::Target dfilter,     \
                        int chunk, quern::Convolution conv) {                                                                     \
        quern::conv2d_backward_weights::tiles<quern::Tile<rows, columns, sum_rows, sum_columns, depth>, vector>(       \
            x, dy, static_cast<float*>(dfilter.at), chunk, conv);                                                                              \
    }

QUERN_CONV2D_BACKWARD_WEIGHTS(conv2d_backward_weights_f32, 128, 128, 8, 8, 8, true)
QUERN_CONV2D_BACKWARD_WEIGHTS(conv2d_backward_weights_f32, 128, 64, 8, 4, 16, true)
QUERN_CONV2D_BACKWARD_WEIGHTS(conv2d_backward_weights_f32, 64, 64, 4, 4, 16, true)
QUERN_CONV2D_BACKWARD_WEIGHTS(conv2d_backward_weights_any_f32, 128, 64, 8, 4, 16, false)
QUERN_CONV2D_BACKWARD_WEIGHTS(conv2d_backward_weights_any_f32, 64, 64, 4, 4, 16, false)

// Blocks that share a multiprocessor's registers: ptxas 13.0 spills for the third tall TF32 one before sm_90.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#define QUERN_TALL_TF32_BLOCKS 2
#else
#define QUERN_TALL_TF32_BLOCKS 3
#endif

#define QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(name, type, blocks, rows, columns, vector)                                  \
    QUERN_KERNEL_BLOCKS(128, blocks, name##_##rows##x##columns, const type* x, const type* dy, quern::Target dfilter,  \
                        int chunk, quern::Convolution conv) {                                                          \
        quern::conv2d_backward_weights::tiles_mma<type, rows, columns, vector>(x, dy, dfilter, chunk, conv);           \
    }

QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_bf16, quern::bf16, 2, 128, 128, true)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_bf16, quern::bf16, 3, 128, 64, true)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_bf16, quern::bf16, 4, 64, 64, true)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_any_bf16, quern::bf16, 4, 64, 64, false)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_tf32, float, 2, 128, 128, true)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_tf32, float, QUERN_TALL_TF32_BLOCKS, 128, 64, true)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_tf32, float, 4, 64, 64, true)
QUERN_CONV2D_BACKWARD_WEIGHTS_MMA(conv2d_backward_weights_any_tf32, float, 4, 64, 64, false)

// 72 sums of a thread leave no registers for a second block
#define QUERN_CONV2D_BACKWARD_WEIGHTS_DIRECT(name, type, blocks, lanes)                                               \
    QUERN_KERNEL_BLOCKS(256, blocks, name##_##lanes, const type* x, const type* dy, quern::Target dfilter, int chunk,       \
                        quern::Convolution conv) {                                                                     \
        quern::conv2d_backward_weights::direct<type, lanes>(x, dy, dfilter, chunk, conv);                              \
    }

QUERN_CONV2D_BACKWARD_WEIGHTS_DIRECT(conv2d_backward_weights_direct_f32, float, 2, 1)
QUERN_CONV2D_BACKWARD_WEIGHTS_DIRECT(conv2d_backward_weights_direct_f32, float, 2, 4)
QUERN_CONV2D_BACKWARD_WEIGHTS_DIRECT(conv2d_backward_weights_direct_bf16, quern::bf16, 2, 1)
QUERN_CONV2D_BACKWARD_WEIGHTS_DIRECT(conv2d_backward_weights_direct_bf16, quern::bf16, 1, 8)
