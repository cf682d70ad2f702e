// Mean of each window, and its gradient in gather form; a thread per pixel and channels: those of 16 bytes, or 1.
// avg_pool_f32, avg_pool_backward_f32: f32 tensors; _bf16: bf16 tensors.
#include "pool.cuh"

namespace quern::avg_pool {

template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, T* y, int count_padding, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_row(at.row); a < pool.end_row(at.row); a++) {
        for (int b = pool.first_column(at.first); b < pool.end_column(at.first); b++) {
            const Vec<float, Lanes> value = load_floats<Lanes>(image + (static_cast<long long>(a) * pool.w + b) * pool.c);
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
    store_floats(y + element_of(at, strips, Lanes), sum);
}

template <int Lanes, class T>
QUERN_DEVICE void backward(const T* dy, T* dx, int count_padding, const Pool& pool, const Strips& strips,
                           const Strip& at) {
    const T* result = pool.result_of(dy, at.image, at.lane * Lanes);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.first); b < pool.end_window_column(at.first); b++) {
            const Vec<float, Lanes> value = load_floats<Lanes>(result + (static_cast<long long>(a) * pool.q + b) * pool.c);
            const float divisor = pool.divisor(a, b, count_padding);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                sum[i] += value[i] / divisor;
            }
        }
    }
    store_floats(dx + element_of(at, strips, Lanes), sum);
}

}  // namespace quern::avg_pool

/// y (n, p, q, c) from x (n, h, w, c); strips of y.
QUERN_KERNEL_BLOCKS_BY_DTYPE(256, 4, 4, avg_pool, (const T* x, T* y, int count_padding, Pool pool, Strips strips), {
    with_strip<T>(pool, strips, [&](auto channels, const Strip& at) {
        avg_pool::forward<channels.value>(x, y, count_padding, pool, strips, at);
    });
})

/// dx (n, h, w, c) from dy (n, p, q, c); strips of dx.
QUERN_KERNEL_BLOCKS_BY_DTYPE(256, 4, 4, avg_pool_backward, (const T* dy, T* dx, int count_padding, Pool pool, Strips strips), {
    with_strip<T>(pool, strips, [&](auto channels, const Strip& at) {
        avg_pool::backward<channels.value>(dy, dx, count_padding, pool, strips, at);
    });
})
