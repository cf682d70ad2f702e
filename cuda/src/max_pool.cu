// Largest element of each window, and its gradient in gather form: every image element looks for the windows it won. The
// winner is the first of the largest, or the first NaN. A thread per pixel and channels: those of 16 bytes,
// or 1. max_pool_f32, max_pool_backward_f32: f32 tensors; _bf16: bf16 tensors.
#include "pool.cuh"

namespace quern::max_pool {

template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, T* y, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    const int top = pool.first_row(at.row), left = pool.first_column(at.first);
    Vec<float, Lanes> largest = load_floats<Lanes>(image + (static_cast<long long>(top) * pool.w + left) * pool.c);
    for (int a = top; a < pool.end_row(at.row); a++) {
        for (int b = left; b < pool.end_column(at.first); b++) {
            const Vec<float, Lanes> value = load_floats<Lanes>(image + (static_cast<long long>(a) * pool.w + b) * pool.c);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                // a NaN that leads stays
                largest[i] = largest[i] == largest[i] && !(value[i] <= largest[i]) ? value[i] : largest[i];
            }
        }
    }
    store_floats(y + element_of(at, strips, Lanes), largest);
}

template <int Lanes, class T>
QUERN_DEVICE void backward(const T* x, const T* dy, T* dx, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    const T* result = pool.result_of(dy, at.image, at.lane * Lanes);
    const Vec<float, Lanes> own = load_floats<Lanes>(image + (static_cast<long long>(at.row) * pool.w + at.first) * pool.c);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.first); b < pool.end_window_column(at.first); b++) {
            Vec<bool, Lanes> won;
#pragma unroll
            for (int l = 0; l < Lanes; l++) {
                won[l] = true;
            }
            for (int i = pool.first_row(a); i < pool.end_row(a); i++) {
                for (int j = pool.first_column(b); j < pool.end_column(b); j++) {
                    const Vec<float, Lanes> other =
                        load_floats<Lanes>(image + (static_cast<long long>(i) * pool.w + j) * pool.c);
                    const bool before = i < at.row || (i == at.row && j < at.first), itself = i == at.row && j == at.first;
#pragma unroll
                    for (int l = 0; l < Lanes; l++) {
                        const bool nan = own[l] != own[l];
                        // beats what came before it, and is not beaten by what follows
                        const bool holds = before ? (nan ? other[l] == other[l] : other[l] < own[l]) : nan || other[l] <= own[l];
                        won[l] = won[l] && (itself || holds);
                    }
                }
            }
            const Vec<float, Lanes> gradient =
                load_floats<Lanes>(result + (static_cast<long long>(a) * pool.q + b) * pool.c);
#pragma unroll
            for (int l = 0; l < Lanes; l++) {
                sum[l] += won[l] ? gradient[l] : 0.0f;
            }
        }
    }
    store_floats(dx + element_of(at, strips, Lanes), sum);
}

}  // namespace quern::max_pool

/// y (n, p, q, c) from x (n, h, w, c); strips of y.
QUERN_KERNEL_BLOCKS_BY_DTYPE(256, 4, 4, max_pool, (const T* x, T* y, Pool pool, Strips strips), {
    with_strip<T>(pool, strips, [&](auto channels, const Strip& at) {
        max_pool::forward<channels.value>(x, y, pool, strips, at);
    });
})

/// dx (n, h, w, c) from x and dy (n, p, q, c); strips of dx.
QUERN_KERNEL_BLOCKS_BY_DTYPE(256, 3, 2, max_pool_backward, (const T* x, const T* dy, T* dx, Pool pool, Strips strips), {
    with_strip<T>(pool, strips, [&](auto channels, const Strip& at) {
        max_pool::backward<channels.value>(x, dy, dx, pool, strips, at);
    });
})
