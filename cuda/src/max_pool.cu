// Largest element of each window, and its gradient in gather form: every image element looks for the windows it won.
#include "pool.cuh"

namespace quern::max_pool {

/// Offset within an image of the first largest element of a window, or of its first NaN.
QUERN_DEVICE long long winner(const float* image, const quern::Pool& pool, int row, int column, long long channel) {
    long long best = -1;
    float largest = 0;
    for (int i = pool.first_row(row); i < pool.end_row(row); i++) {
        for (int j = pool.first_column(column); j < pool.end_column(column); j++) {
            const long long at = (static_cast<long long>(i) * pool.w + j) * pool.c + channel;
            const float value = image[at];
            // a NaN that leads stays
            if (best < 0 || (largest == largest && !(value <= largest))) {
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
    const long long channel = i % c;
    const int column = static_cast<int>(i / c % q);
    const int row = static_cast<int>(i / c / q % p);
    const float* image = x + i / c / q / p * h * w * c;
    y[i] = image[quern::max_pool::winner(image, pool, row, column, channel)];
}

/// dx (n, h, w, c) from x and dy (n, p, q, c); one thread per element of dx.
QUERN_KERNEL(256, max_pool_backward_f32, const float* x, const float* dy, float* dx, long long elements,
             QUERN_POOL_PARAMETERS) {
    const quern::Pool pool = QUERN_POOL;
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const long long channel = i % c;
    const int column = static_cast<int>(i / c % w);
    const int row = static_cast<int>(i / c / w % h);
    const long long n = i / c / w / h;
    const float* image = x + n * h * w * c;
    const long long own = i - n * h * w * c;
    float sum = 0;
    for (int a = pool.first_window_row(row); a < pool.end_window_row(row); a++) {
        for (int b = pool.first_window_column(column); b < pool.end_window_column(column); b++) {
            if (quern::max_pool::winner(image, pool, a, b, channel) == own) {
                sum += dy[((n * p + a) * q + b) * c + channel];
            }
        }
    }
    dx[i] = sum;
}
