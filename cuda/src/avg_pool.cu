// Mean of each window, and its gradient in gather form; a thread per pixel and 1 or 4 channels.
#include "pool.cuh"

namespace quern::avg_pool {

template <int Lanes>
QUERN_DEVICE void forward(const float* x, float* y, int count_padding, const Pool& pool, const Strips& strips, const Strip& at) {
    const float* image = pool.image_of(x, at.image, at.lane * Lanes);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_row(at.row); a < pool.end_row(at.row); a++) {
        for (int b = pool.first_column(at.first); b < pool.end_column(at.first); b++) {
            const Vec<float, Lanes> value = load_vec<float, Lanes>(image + (static_cast<long long>(a) * pool.w + b) * pool.c);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                sum[i] += value[i];
            }
        }
    }
    const float divisor = pool.divisor(at.row, at.first, count_padding);
#pragma unroll
    for (int i = 0; i < Lanes; i++) {
        sum[i] /= divisor;
    }
    store_vec(y + element_of(at, strips, Lanes), sum);
}

template <int Lanes>
QUERN_DEVICE void backward(const float* dy, float* dx, int count_padding, const Pool& pool, const Strips& strips,
                           const Strip& at) {
    const float* result = pool.result_of(dy, at.image, at.lane * Lanes);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.first); b < pool.end_window_column(at.first); b++) {
            const Vec<float, Lanes> value = load_vec<float, Lanes>(result + (static_cast<long long>(a) * pool.q + b) * pool.c);
            const float divisor = pool.divisor(a, b, count_padding);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                sum[i] += value[i] / divisor;
            }
        }
    }
    store_vec(dx + element_of(at, strips, Lanes), sum);
}

}  // namespace quern::avg_pool

/// y (n, p, q, c) from x (n, h, w, c); strips of y.
QUERN_KERNEL_BLOCKS(256, 4, avg_pool_f32, const float* x, float* y, int count_padding, quern::Pool pool, quern::Strips strips) {
    const int index = static_cast<int>(quern::global_index());
    if (index >= strips.count) {
        return;
    }
    const quern::Strip at(strips, index);
    if (pool.lanes == 4) {
        quern::avg_pool::forward<4>(x, y, count_padding, pool, strips, at);
    } else {
        quern::avg_pool::forward<1>(x, y, count_padding, pool, strips, at);
    }
}

/// dx (n, h, w, c) from dy (n, p, q, c); strips of dx.
QUERN_KERNEL_BLOCKS(256, 4, avg_pool_backward_f32, const float* dy, float* dx, int count_padding, quern::Pool pool,
             quern::Strips strips) {
    const int index = static_cast<int>(quern::global_index());
    if (index >= strips.count) {
        return;
    }
    const quern::Strip at(strips, index);
    if (pool.lanes == 4) {
        quern::avg_pool::backward<4>(dy, dx, count_padding, pool, strips, at);
    } else {
        quern::avg_pool::backward<1>(dy, dx, count_padding, pool, strips, at);
    }
}
