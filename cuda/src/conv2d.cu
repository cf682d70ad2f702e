// Convolution of NHWC images in three passes. Dense ones are implicit matrix products on tiles; with few channels per
// group, one thread per result walks its taps.
#include "activation.cuh"
#include "convolution.cuh"
#include "tile.cuh"

namespace quern::conv2d {

QUERN_DEVICE void finish(float sum, const float* bias, float* y, float* preactivation, long long at, int channel,
                         int kind) {
    if (bias != nullptr) {
        sum += bias[channel];
    }
    if (preactivation != nullptr) {
        preactivation[at] = sum;
    }
    y[at] = quern::activate(sum, kind);
}

}  // namespace quern::conv2d

/// y and preactivation (may be null); grid: (tiles of pixels, tiles of channels, groups).
QUERN_KERNEL(256, conv2d_f32, const float* x, const float* filter, const float* bias, float* y, float* preactivation,
             int kind, QUERN_CONVOLUTION_PARAMETERS) {
    QUERN_SHARED(quern::TileMemory, memory, [1]);
    const quern::Convolution conv = QUERN_CONVOLUTION;
    const long long row = static_cast<long long>(blockIdx.x) * quern::kTile;
    const long long column = static_cast<long long>(blockIdx.y) * quern::kTile;
    const int first_c = static_cast<int>(blockIdx.z) * conv.group_c();
    const int first_k = static_cast<int>(blockIdx.z) * conv.group_k();
    const int group_c = conv.group_c();
    const long long pixels = static_cast<long long>(n) * p * q;
    float sums[4][4] = {};
    quern::tile_product<true, false>(
        memory[0], row, pixels, column, conv.group_k(), 0, static_cast<long long>(r) * s * group_c,
        [=](long long pixel, long long at) {
            const int tap = static_cast<int>(at) / group_c;
            const int result = static_cast<int>(pixel);
            const long long from = conv.image_pixel(result / q / p, result / q % p, result % q, tap / s, tap % s);
            return from < 0 ? 0.0f : x[from * c + first_c + static_cast<int>(at) % group_c];
        },
        [=](long long at, long long channel) { return filter[at * k + first_k + channel]; }, sums);
    quern::tile_store(row, pixels, column, conv.group_k(), sums, [=](long long pixel, long long channel, float sum) {
        const int own = first_k + static_cast<int>(channel);
        quern::conv2d::finish(sum, bias, y, preactivation, pixel * k + own, own, kind);
    });
}

/// The same, one thread per element of y.
QUERN_KERNEL(256, conv2d_direct_f32, const float* x, const float* filter, const float* bias, float* y,
             float* preactivation, int kind, QUERN_CONVOLUTION_PARAMETERS) {
    const quern::Convolution conv = QUERN_CONVOLUTION;
    const long long at = quern::global_index();
    if (at >= static_cast<long long>(n) * p * q * k) {
        return;
    }
    const int channel = static_cast<int>(at % k);
    const int pixel = static_cast<int>(at / k);
    const int group_c = conv.group_c();
    const int first_c = channel / conv.group_k() * group_c;
    float sum = 0;
    for (int tap = 0; tap < r * s; tap++) {
        const long long from = conv.image_pixel(pixel / q / p, pixel / q % p, pixel % q, tap / s, tap % s);
        for (int j = 0; j < group_c; j++) {
            const float value = from < 0 ? 0.0f : x[from * c + first_c + j];
            sum += value * filter[(static_cast<long long>(tap) * group_c + j) * k + channel];
        }
    }
    quern::conv2d::finish(sum, bias, y, preactivation, at, channel, kind);
}

/// dx; grid: (tiles of pixels, tiles of channels, groups).
QUERN_KERNEL(256, conv2d_backward_data_f32, const float* dy, const float* filter, float* dx,
             QUERN_CONVOLUTION_PARAMETERS) {
    QUERN_SHARED(quern::TileMemory, memory, [1]);
    const quern::Convolution conv = QUERN_CONVOLUTION;
    const long long row = static_cast<long long>(blockIdx.x) * quern::kTile;
    const long long column = static_cast<long long>(blockIdx.y) * quern::kTile;
    const int first_c = static_cast<int>(blockIdx.z) * conv.group_c();
    const int first_k = static_cast<int>(blockIdx.z) * conv.group_k();
    const int group_c = conv.group_c();
    const int group_k = conv.group_k();
    const long long pixels = static_cast<long long>(n) * h * w;
    float sums[4][4] = {};
    quern::tile_product<true, true>(
        memory[0], row, pixels, column, group_c, 0, static_cast<long long>(r) * s * group_k,
        [=](long long pixel, long long at) {
            const int tap = static_cast<int>(at) / group_k;
            const int image = static_cast<int>(pixel);
            const long long from = conv.result_pixel(image / w / h, image / w % h, image % w, tap / s, tap % s);
            return from < 0 ? 0.0f : dy[from * k + first_k + static_cast<int>(at) % group_k];
        },
        [=](long long at, long long channel) {
            const long long tap = at / group_k;
            return filter[(tap * group_c + channel) * k + first_k + at % group_k];
        },
        sums);
    quern::tile_store(row, pixels, column, group_c, sums, [=](long long pixel, long long channel, float sum) {
        dx[pixel * c + first_c + channel] = sum;
    });
}

/// The same, one thread per element of dx.
QUERN_KERNEL(256, conv2d_backward_data_direct_f32, const float* dy, const float* filter, float* dx,
             QUERN_CONVOLUTION_PARAMETERS) {
    const quern::Convolution conv = QUERN_CONVOLUTION;
    const long long at = quern::global_index();
    if (at >= static_cast<long long>(n) * h * w * c) {
        return;
    }
    const int channel = static_cast<int>(at % c);
    const int pixel = static_cast<int>(at / c);
    const int group_c = conv.group_c();
    const int group_k = conv.group_k();
    const int first_k = channel / group_c * group_k;
    float sum = 0;
    for (int tap = 0; tap < r * s; tap++) {
        const long long from = conv.result_pixel(pixel / w / h, pixel / w % h, pixel % w, tap / s, tap % s);
        if (from < 0) {
            continue;
        }
        const float* weights = filter + (static_cast<long long>(tap) * group_c + channel % group_c) * k + first_k;
        for (int j = 0; j < group_k; j++) {
            sum += dy[from * k + first_k + j] * weights[j];
        }
    }
    dx[at] = sum;
}

/// Partial sums of dfilter over chunks of result pixels, (chunks, filter); grid: (tiles of taps and
/// image channels, tiles of result channels, groups x chunks).
QUERN_KERNEL(256, conv2d_backward_weights_f32, const float* x, const float* dy, double* partial, long long chunk,
             QUERN_CONVOLUTION_PARAMETERS) {
    QUERN_SHARED(quern::TileMemory, memory, [1]);
    const quern::Convolution conv = QUERN_CONVOLUTION;
    const int group = static_cast<int>(blockIdx.z) % groups;
    const long long piece = static_cast<long long>(blockIdx.z) / groups;
    const int group_c = conv.group_c();
    const int first_c = group * group_c;
    const int first_k = group * conv.group_k();
    const long long row = static_cast<long long>(blockIdx.x) * quern::kTile;
    const long long column = static_cast<long long>(blockIdx.y) * quern::kTile;
    const long long rows = static_cast<long long>(r) * s * group_c;
    const long long pixels = static_cast<long long>(n) * p * q;
    float sums[4][4] = {};
    quern::tile_product<false, false>(
        memory[0], row, rows, column, conv.group_k(), piece * chunk, quern::min_of(pixels, (piece + 1) * chunk),
        [=](long long at, long long pixel) {
            const int tap = static_cast<int>(at) / group_c;
            const int result = static_cast<int>(pixel);
            const long long from = conv.image_pixel(result / q / p, result / q % p, result % q, tap / s, tap % s);
            return from < 0 ? 0.0f : x[from * c + first_c + static_cast<int>(at) % group_c];
        },
        [=](long long pixel, long long channel) { return dy[pixel * k + first_k + channel]; }, sums);
    quern::tile_store(row, rows, column, conv.group_k(), sums, [=](long long at, long long channel, float sum) {
        partial[(piece * rows + at) * k + first_k + channel] = sum;
    });
}

/// The same, one thread per element of dfilter and chunk.
QUERN_KERNEL(256, conv2d_backward_weights_direct_f32, const float* x, const float* dy, double* partial,
             long long chunk, QUERN_CONVOLUTION_PARAMETERS) {
    const quern::Convolution conv = QUERN_CONVOLUTION;
    const int group_c = conv.group_c();
    const long long size = static_cast<long long>(r) * s * group_c * k;
    const long long pixels = static_cast<long long>(n) * p * q;
    const long long at = quern::global_index();
    const long long piece = at / size;
    const long long first = piece * chunk;
    if (size == 0 || first >= pixels) {
        return;
    }
    const int element = static_cast<int>(at % size);
    const int channel = element % k;
    const int tap = element / k / group_c;
    const int own_c = channel / conv.group_k() * group_c + element / k % group_c;
    float sum = 0;
    for (long long pixel = first; pixel < quern::min_of(pixels, first + chunk); pixel++) {
        const int result = static_cast<int>(pixel);
        const long long from = conv.image_pixel(result / q / p, result / q % p, result % q, tap / s, tap % s);
        sum += (from < 0 ? 0.0f : x[from * c + own_c]) * dy[pixel * k + channel];
    }
    partial[at] = sum;
}

/// dfilter from the partial sums, in the order of the chunks; one thread per element.
QUERN_KERNEL(256, conv2d_backward_weights_finish_f32, const double* partial, float* dfilter, long long elements,
             int chunks) {
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    double sum = 0;
    for (int piece = 0; piece < chunks; piece++) {
        sum += partial[piece * elements + i];
    }
    dfilter[i] = static_cast<float>(sum);
}
