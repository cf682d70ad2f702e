// Softmax of each row, and its gradient; one warp per row.
#include "sums.cuh"

/// y (rows, n) from x.
QUERN_KERNEL(128, softmax_f32, const float* x, float* y, long long rows, int n) {
    const long long row = quern::warp_row();
    const int lane = static_cast<int>(threadIdx.x % 32);
    if (row >= rows) {
        return;
    }
    const float* in = x + row * n;
    float* out = y + row * n;
    float largest = -INFINITY;
    for (int i = lane; i < n; i += 32) {
        largest = quern::max_of(largest, in[i]);
    }
    largest = quern::warp_max(largest);
    float sum = 0;
    for (int i = lane; i < n; i += 32) {
        sum += expf(in[i] - largest);
    }
    sum = quern::warp_sum(sum);
    for (int i = lane; i < n; i += 32) {
        out[i] = expf(in[i] - largest) / sum;
    }
}

/// dx = y (dy - sum y dy).
QUERN_KERNEL(128, softmax_backward_f32, const float* y, const float* dy, float* dx, long long rows, int n) {
    const long long row = quern::warp_row();
    const int lane = static_cast<int>(threadIdx.x % 32);
    if (row >= rows) {
        return;
    }
    double dot = 0;
    for (int i = lane; i < n; i += 32) {
        dot += static_cast<double>(y[row * n + i]) * dy[row * n + i];
    }
    const float sum = static_cast<float>(quern::warp_sum(dot));
    for (int i = lane; i < n; i += 32) {
        dx[row * n + i] = y[row * n + i] * (dy[row * n + i] - sum);
    }
}
