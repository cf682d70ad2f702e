// Normalisation of each row, and its gradient; one warp per row, channel sums in chunks of rows.
#include "sums.cuh"

namespace quern::layer_norm {

template <int Lanes>
QUERN_DEVICE void backward_sums(const float* x, const float* dy, const float* mean, const float* inverse, double* partial,
                                long long rows, int n, long long chunk) {
    column_sums<Lanes>(rows, n, chunk, partial, [=](long long row, int c) {
        const Vec<float, Lanes> values = load_vec<float, Lanes>(x + row * n + c), gradients = load_vec<float, Lanes>(dy + row * n + c);
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
QUERN_KERNEL(128, layer_norm_f32, const float* x, const float* gamma, const float* beta, float* y, float* mean,
             float* inverse, long long rows, int n, double epsilon) {
    const long long row = quern::warp_row();
    const int lane = static_cast<int>(threadIdx.x % 32);
    if (row >= rows) {
        return;
    }
    const float* in = x + row * n;
    double sum = 0;
    for (int i = lane; i < n; i += 32) {
        sum += in[i];
    }
    const double m = quern::warp_sum(sum) / n;
    double squares = 0;
    for (int i = lane; i < n; i += 32) {
        const double difference = in[i] - m;
        squares += difference * difference;
    }
    const double s = 1.0 / sqrt(quern::warp_sum(squares) / n + epsilon);
    for (int i = lane; i < n; i += 32) {
        y[row * n + i] = static_cast<float>((in[i] - m) * s) * gamma[i] + beta[i];
    }
    if (lane == 0) {
        mean[row] = static_cast<float>(m);
        inverse[row] = static_cast<float>(s);
    }
}

/// dx = inverse (g - mean(g) - h mean(g h)) with g = dy gamma; dx may be dy.
QUERN_KERNEL(128, layer_norm_backward_f32, const float* x, const float* dy, const float* gamma, const float* mean,
             const float* inverse, float* dx, long long rows, int n) {
    const long long row = quern::warp_row();
    const int lane = static_cast<int>(threadIdx.x % 32);
    if (row >= rows) {
        return;
    }
    const double m = mean[row];
    const double s = inverse[row];
    double sum = 0;
    double dot = 0;
    for (int i = lane; i < n; i += 32) {
        const double g = static_cast<double>(dy[row * n + i]) * gamma[i];
        sum += g;
        dot += g * (x[row * n + i] - m);
    }
    sum = quern::warp_sum(sum) / n;
    dot = quern::warp_sum(dot) * s / n;
    for (int i = lane; i < n; i += 32) {
        const double g = static_cast<double>(dy[row * n + i]) * gamma[i];
        dx[row * n + i] = static_cast<float>(s * (g - sum - (x[row * n + i] - m) * s * dot));
    }
}

/// Sums over rows of dy h and dy.
QUERN_KERNEL(256, layer_norm_backward_sums_f32, const float* x, const float* dy, const float* mean,
             const float* inverse, double* partial, long long rows, int n, long long chunk) {
    if (n % 4 == 0 && quern::aligned16(x) && quern::aligned16(dy)) {
        quern::layer_norm::backward_sums<4>(x, dy, mean, inverse, partial, rows, n, chunk);
    } else {
        quern::layer_norm::backward_sums<1>(x, dy, mean, inverse, partial, rows, n, chunk);
    }
}

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
