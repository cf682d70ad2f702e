// Normalisation of each row, and its gradient; one warp per row, channel sums in chunks of rows. x, y, dx and dy are f32 or
// bf16, all else is f32.
#include "sums.cuh"

namespace quern::layer_norm {

template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, const float* gamma, const float* beta, T* y, float* mean, float* inverse, int n,
                          double epsilon) {
    const int lane = lane_id();
    double sum = 0;
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { sum += v; }, x);
    const double m = warp_sum(sum) / n;
    double squares = 0;
    for_packs<Lanes>(n, lane, 32, [&](int, float v) {
        const double difference = v - m;
        squares += difference * difference;
    }, x);
    const double s = 1.0 / sqrt(warp_sum(squares) / n + epsilon);
    auto normalized = [=](int, float v, float g, float b) { return static_cast<float>((v - m) * s) * g + b; };
    map_packs<Lanes>(y, n, lane, 32, normalized, x, gamma, beta);
    if (lane == 0) {
        *mean = static_cast<float>(m);
        *inverse = static_cast<float>(s);
    }
}

template <int Lanes, class T>
QUERN_DEVICE void backward(const T* x, const T* dy, const float* gamma, double m, double s, T* dx, int n) {
    const int lane = lane_id();
    double sum = 0;
    double dot = 0;
    for_packs<Lanes>(n, lane, 32, [&](int, float v, float d, float w) {
        const double g = static_cast<double>(d) * w;
        sum += g;
        dot += g * (v - m);
    }, x, dy, gamma);
    sum = warp_sum(sum) / n;
    dot = warp_sum(dot) * s / n;
    map_packs<Lanes>(dx, n, lane, 32, [=](int, float v, float d, float w) {
        return static_cast<float>(s * (static_cast<double>(d) * w - sum - (v - m) * s * dot));
    }, x, dy, gamma);
}

template <int Lanes, class T>
QUERN_DEVICE void backward_sums(const T* x, const T* dy, const float* mean, const float* inverse, double* partial,
                                long long rows, int n, long long chunk) {
    const bool whole = aligned16(x) && aligned16(dy);
    column_sums<Lanes>(rows, n, chunk, partial, [=](long long row, int c) {
        const Vec<float, Lanes> values = load_floats<Lanes>(x + row * n + c, whole),
                                gradients = load_floats<Lanes>(dy + row * n + c, whole);
        const double m = mean[row], s = inverse[row];
        Vec<Pair, Lanes> out;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            const double gradient = gradients[i];
            out[i] = {gradient * (values[i] - m) * s, gradient};
        }
        return out;
    });
}

}  // namespace quern::layer_norm

/// y, and mean and inverse deviation of each row, from x (rows, n).
QUERN_KERNEL_BY_DTYPE(128, layer_norm, (const T* x, const float* gamma, const float* beta, T* y, float* mean, float* inverse,
                      long long rows, int n, double epsilon), {
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        layer_norm::forward<kLanes<T>>(x + first, gamma, beta, y + first, mean + row, inverse + row, n, epsilon);
    } else if (row < rows) {
        layer_norm::forward<1>(x + first, gamma, beta, y + first, mean + row, inverse + row, n, epsilon);
    }
})

/// dx = inverse (g - mean(g) - h mean(g h)) with g = dy gamma; dx may be dy.
QUERN_KERNEL_BY_DTYPE(128, layer_norm_backward, (const T* x, const T* dy, const float* gamma, const float* mean,
                      const float* inverse, T* dx, long long rows, int n), {
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        layer_norm::backward<kLanes<T>>(x + first, dy + first, gamma, mean[row], inverse[row], dx + first, n);
    } else if (row < rows) {
        layer_norm::backward<1>(x + first, dy + first, gamma, mean[row], inverse[row], dx + first, n);
    }
})

/// Sums over rows of dy h and dy.
QUERN_KERNEL_BY_DTYPE(256, layer_norm_backward_sums, (const T* x, const T* dy, const float* mean, const float* inverse,
                      double* partial, long long rows, int n, long long chunk), {
    if (n % kLanes<T> == 0) {
        layer_norm::backward_sums<kLanes<T>>(x, dy, mean, inverse, partial, rows, n, chunk);
    } else {
        layer_norm::backward_sums<1>(x, dy, mean, inverse, partial, rows, n, chunk);
    }
})

/// dgamma and dbeta; one thread per column.
QUERN_KERNEL(256, layer_norm_backward_columns_f32, const double* partial, float* dgamma, float* dbeta, int n,
             int chunks) {
    const int c = static_cast<int>(quern::global_index());
    if (c < n) {
        const quern::Pair sums = quern::column_total(partial, chunks, n, c);
        dgamma[c] = static_cast<float>(sums.a);
        dbeta[c] = static_cast<float>(sums.b);
    }
}
