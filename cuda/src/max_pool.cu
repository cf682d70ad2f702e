// Largest element of each window, and its gradient in gather form: every image element looks for the windows it won.
#include "pool.cuh"

namespace quern::max_pool {

/// The first largest element of a window, or its first NaN; channel points at the image's first element of that channel.
QUERN_DEVICE const float* winner(const float* channel, const quern::Pool& pool, int row, int column) {
    const float* best = nullptr;
    float largest = 0;
    for (int i = pool.first_row(row); i < pool.end_row(row); i++) {
        for (int j = pool.first_column(column); j < pool.end_column(column); j++) {
            const float* at = channel + (static_cast<long long>(i) * pool.w + j) * pool.c;
            const float value = *at;
            // a NaN that leads stays
            if (best == nullptr || (largest == largest && !(value <= largest))) {
                best = at;
                largest = value;
            }
        }
    }
    return best;
}

}  // namespace quern::max_pool

/// y (n, p, q, c) from x (n, h, w, c); one thread per element of y.
QUERN_KERNEL(256, max_pool_f32, const float* x, float* y, long long elements, QUERN_POOL_PARAMETERS) {
    const quern::Pool pool = QUERN_POOL;
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const quern::Place at(i, p, q, c);
    y[i] = *quern::max_pool::winner(x + at.image * h * w * c + at.channel, pool, at.row, at.column);
}

/// dx (n, h, w, c) from x and dy (n, p, q, c); one thread per element of dx.
QUERN_KERNEL(256, max_pool_backward_f32, const float* x, const float* dy, float* dx, long long elements,
             QUERN_POOL_PARAMETERS) {
    const quern::Pool pool = QUERN_POOL;
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const quern::Place at(i, h, w, c);
    const float* image = x + at.image * h * w * c + at.channel;
    const float* gradient = dy + at.image * p * q * c + at.channel;
    float sum = 0;
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.column); b < pool.end_window_column(at.column); b++) {
            if (quern::max_pool::winner(image, pool, a, b) == x + i) {
                sum += gradient[(static_cast<long long>(a) * q + b) * c];
            }
        }
    }
    dx[i] = sum;
}
