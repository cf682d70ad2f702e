// Mean of each window, and its gradient in gather form.
#include "pool.cuh"

/// y (n, p, q, c) from x (n, h, w, c); one thread per element of y.
QUERN_KERNEL(256, avg_pool_f32, const float* x, float* y, long long elements, int count_padding,
             QUERN_POOL_PARAMETERS) {
    const quern::Pool pool = QUERN_POOL;
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const quern::Place at(i, p, q, c);
    const float* image = x + at.image * h * w * c + at.channel;
    float sum = 0;
    for (int a = pool.first_row(at.row); a < pool.end_row(at.row); a++) {
        for (int b = pool.first_column(at.column); b < pool.end_column(at.column); b++) {
            sum += image[(static_cast<long long>(a) * w + b) * c];
        }
    }
    y[i] = sum / pool.divisor(at.row, at.column, count_padding);
}

/// dx (n, h, w, c) from dy (n, p, q, c); one thread per element of dx.
QUERN_KERNEL(256, avg_pool_backward_f32, const float* dy, float* dx, long long elements, int count_padding,
             QUERN_POOL_PARAMETERS) {
    const quern::Pool pool = QUERN_POOL;
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const quern::Place at(i, h, w, c);
    const float* image = dy + at.image * p * q * c + at.channel;
    float sum = 0;
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.column); b < pool.end_window_column(at.column); b++) {
            sum += image[(static_cast<long long>(a) * q + b) * c] / pool.divisor(a, b, count_padding);
        }
    }
    dx[i] = sum;
}
