// y = f(x * filter + bias), NHWC, f32. A matrix product of (pixels, taps and channels) by (taps and channels, result
// channels) whose left operand is gathered while it is multiplied; groups that are too narrow for tiles are summed directly.
// conv2d_f32_{128x128,128x64,64x64}   tiles of pixels x result channels; block 256, grid (tiles of pixels * tiles of channels,
//   groups, splits). Image and result channels per group are multiples of 4, addresses of 16 bytes.
// conv2d_any_f32_{128x64,64x64}       the same without that condition
// conv2d_finish_f32                   with splits > 1: adds the partial sums (splits, y) in order; an element per thread
// conv2d_direct_f32_{1,4}             a thread per strip of 4 pixels and 1 or 4 channels (4: depthwise, aligned)
// bias, preactivation may be null; partial is null where splits is 1.
#include "activation.cuh"
#include "strips.cuh"
#include "taps.cuh"

namespace quern::conv2d {

/// Up to four neighbours, zeros behind the valid ones.
QUERN_DEVICE Vec<float, 4> load_up_to_4(const float* p, int valid, bool aligned) {
    if (valid >= 4 && aligned) {
        return load_vec<float, 4>(p);
    }
    Vec<float, 4> out{};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        if (i < valid) {
            out[i] = p[i];
        }
    }
    return out;
}

struct Epilogue {
    const float* bias;
    float *y, *preactivation;
    int kind;
};
static_assert(sizeof(Epilogue) == 32);

/// Kinds without a function of the library, cheap enough to be written out for every sum of a thread.
QUERN_DEVICE bool simple(int kind) { return kind <= kLeakyRelu; }

QUERN_DEVICE float activate_simple(float x, int kind) {
    return x > 0 || x != x || kind == kNone ? x : kind == kRelu ? 0.0f : 0.01f * x;
}

/// What becomes of the first valid ones of four sums of neighbouring channels; other kinds of activation are left to the caller.
QUERN_DEVICE void finish(const Epilogue& e, Vec<float, 4> sum, long long at, int channel, int valid, bool aligned) {
    if (e.bias != nullptr) {
        const Vec<float, 4> bias = load_up_to_4(e.bias + channel, valid, aligned && aligned16(e.bias + channel));
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sum[i] += bias[i];
        }
    }
    if (e.preactivation != nullptr) {
        store_up_to_4(e.preactivation + at, sum, valid, aligned && aligned16(e.preactivation));
    }
    if (simple(e.kind)) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sum[i] = activate_simple(sum[i], e.kind);
        }
    }
    store_up_to_4(e.y + at, sum, valid, aligned);
}

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

/// A block's first pixel and channel, and all pixels.
struct Place {
    int pixel, channel, pixels;
};

template <class Tile, bool Vector>
QUERN_DEVICE void tiles(const float* x, const float* filter, const Epilogue& epilogue, float* partial, const Convolution& conv) {
    const int group_c = conv.group_c(), group_k = conv.group_k();
    const int group = static_cast<int>(blockIdx.y), splits = static_cast<int>(gridDim.z);
    const int tiles_k = ceil_div(group_k, Tile::kColumns);
    const int block = static_cast<int>(blockIdx.x);
    const int pixel0 = block / tiles_k * Tile::kRows, channel0 = block % tiles_k * Tile::kColumns;
    const int pixels = conv.result_pixels(), terms = conv.r * conv.s * group_c;
    const int all_steps = ceil_div(terms, Tile::kDepth), per_split = ceil_div(all_steps, splits);
    const int begin = min_of(static_cast<int>(blockIdx.z) * per_split, all_steps);
    const int steps = min_of(per_split, all_steps - begin);
    const int first = begin * Tile::kDepth, end = min_of(first + steps * Tile::kDepth, terms);

    Tile tile;
    const int row_pitch = conv.w * conv.c;
    const Taps taps{max_of(group_c, 1), conv.s, conv.dilation_h, conv.dilation_w, conv.dilation_w * conv.c - group_c,
                    conv.dilation_h * row_pitch - conv.s * conv.dilation_w * conv.c, 0, 0};
    // what is needed seldom waits in shared memory: registers are short
    QUERN_SHARED(Taps, shared_taps, [1]);
    QUERN_SHARED(Place, shared_place, [1]);
    if (threadIdx.x == 0) {
        shared_taps[0] = taps;
        shared_place[0] = {pixel0, channel0, pixels};
    }
    block_barrier();
    Source<Tile, Vector> source{
        shared_taps[0], TapWalk(taps, first + Along<Tile::kDepth, Tile::kRows>::term()), end - first,
        conv.h, conv.w, {},
        {filter + group * group_k, conv.k, first, channel0, group_k}};
#pragma unroll
    for (int i = 0; i < source.a.kCount; i++) {
        const int pixel = pixel0 + source.a.line(i);
        if (pixel < pixels) {
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
    const bool aligned = conv.k % 4 == 0 && group_k % 4 == 0 && aligned16(splits > 1 ? partial : epilogue.y);
    tile.each([&](int row, int column, const Vec<float, 4>& sum) {
        const int pixel = place.pixel + row, channel = place.channel + column;
        if (pixel < place.pixels) {
            const long long at = static_cast<long long>(pixel) * conv.k + first_k + channel;
            if (splits > 1) {
                const long long all = static_cast<long long>(place.pixels) * conv.k;
                store_up_to_4(partial + blockIdx.z * all + at, sum, group_k - channel, aligned);
            } else {
                finish(epilogue, sum, at, first_k + channel, group_k - channel, aligned);
            }
        }
    });
    if (splits == 1 && !simple(epilogue.kind)) {
        Tile::each_place([&](int row, int column) {
            const int pixel = place.pixel + row, channel = place.channel + column;
            float* y = epilogue.y + static_cast<long long>(pixel) * conv.k + first_k + channel;
            for (int i = 0; i < 4 && pixel < place.pixels && channel + i < group_k; i++) {
                y[i] = activate(y[i], epilogue.kind);
            }
        });
    }
}

/// Pixels of a strip: what their taps share, is loaded once.
inline constexpr int kStrip = 4;

template <int Lanes>
QUERN_DEVICE void direct(const float* x, const float* filter, const Epilogue& e, const Convolution& conv, const Strips& strips) {
    const int index = static_cast<int>(global_index());
    if (index >= strips.count) {
        return;
    }
    const Strip strip(strips, index);
    const int channel = strip.lane * Lanes, column = strip.first * kStrip;
    // four lanes are of four groups with a channel each
    const int group_c = conv.group_c(), terms = Lanes > 1 ? 1 : group_c;
    const float* image = x + static_cast<long long>(strip.image) * conv.h * conv.w * conv.c + channel / conv.group_k() * group_c;
    const int y0 = strip.row * conv.stride_h - conv.padding_h, x0 = column * conv.stride_w - conv.padding_w;
    Vec<float, Lanes> sums[kStrip] = {};
    for (int i = 0; i < conv.r; i++) {
        const int from_y = y0 + i * conv.dilation_h;
        if (from_y < 0 || from_y >= conv.h) {
            continue;
        }
        for (int j = 0; j < conv.s; j++) {
            const float* weights = filter + static_cast<long long>(i * conv.s + j) * group_c * conv.k + channel;
            const int from_x = x0 + j * conv.dilation_w;
            const float* from = image + (static_cast<long long>(from_y) * conv.w + from_x) * conv.c;
            for (int term = 0; term < terms; term++) {
                const Vec<float, Lanes> weight = load_vec<float, Lanes>(weights + static_cast<long long>(term) * conv.k);
#pragma unroll
                for (int o = 0; o < kStrip; o++) {
                    const int at = from_x + o * conv.stride_w;
                    if (at >= 0 && at < conv.w) {
                        const Vec<float, Lanes> value =
                            load_vec<float, Lanes>(from + static_cast<long long>(o) * conv.stride_w * conv.c + term);
#pragma unroll
                        for (int lane = 0; lane < Lanes; lane++) {
                            sums[o][lane] = fmaf(value[lane], weight[lane], sums[o][lane]);
                        }
                    }
                }
            }
        }
    }
    const Vec<float, Lanes> bias = e.bias != nullptr ? load_vec<float, Lanes>(e.bias + channel) : Vec<float, Lanes>{};
    const long long to = ((static_cast<long long>(strip.image) * conv.p + strip.row) * conv.q + column) * conv.k + channel;
#pragma unroll
    for (int o = 0; o < kStrip; o++) {
        if (column + o < conv.q) {
#pragma unroll
            for (int lane = 0; lane < Lanes; lane++) {
                sums[o][lane] += bias[lane];
            }
            if (e.preactivation != nullptr) {
                store_vec(e.preactivation + to + o * conv.k, sums[o]);
            }
            if (simple(e.kind)) {
#pragma unroll
                for (int lane = 0; lane < Lanes; lane++) {
                    sums[o][lane] = activate_simple(sums[o][lane], e.kind);
                }
            }
            store_vec(e.y + to + o * conv.k, sums[o]);
        }
    }
    if (!simple(e.kind)) {
#pragma unroll 1
        for (int o = 0; o < kStrip && column + o < conv.q; o++) {
#pragma unroll 1
            for (int lane = 0; lane < Lanes; lane++) {
                float* y = e.y + to + o * conv.k + lane;
                *y = activate(*y, e.kind);
            }
        }
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

QUERN_KERNEL(256, conv2d_finish_f32, const float* partial, quern::conv2d::Epilogue epilogue, long long elements, int k,
             int splits) {
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    double sum = 0;
    for (int split = 0; split < splits; split++) {
        sum += partial[split * elements + i];
    }
    float value = static_cast<float>(sum);
    if (epilogue.bias != nullptr) {
        value += epilogue.bias[i % k];
    }
    if (epilogue.preactivation != nullptr) {
        epilogue.preactivation[i] = value;
    }
    epilogue.y[i] = quern::activate(value, epilogue.kind);
}

QUERN_KERNEL(256, conv2d_direct_f32_1, const float* x, const float* filter, quern::conv2d::Epilogue epilogue,
             quern::Convolution conv, quern::Strips strips) {
    quern::conv2d::direct<1>(x, filter, epilogue, conv, strips);
}

QUERN_KERNEL(256, conv2d_direct_f32_4, const float* x, const float* filter, quern::conv2d::Epilogue epilogue,
             quern::Convolution conv, quern::Strips strips) {
    quern::conv2d::direct<4>(x, filter, epilogue, conv, strips);
}
