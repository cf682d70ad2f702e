// Mean of squared differences, by partial sums in double, and its gradient; a, b and da in f32 or bf16, all else in f32.
#include "elementwise.cuh"
#include "sums.cuh"

/// A partial sum per block.
QUERN_KERNEL_BY_DTYPE(256, mean_squared_error, (const T* a, const T* b, double* partial, long long elements), {
    QUERN_SHARED(double, scratch, [8]);
    auto square = [](float u, float v) {
        const double difference = static_cast<double>(u) - v;
        return difference * difference;
    };
    partial_sum<kLanes<T>>(elements, partial, scratch, square, a, b);
})

/// y = sum of the partial sums / divisor; one block.
QUERN_KERNEL(256, mean_squared_error_finish_f32, const double* partial, float* y, int count, double divisor) {
    QUERN_SHARED(double, scratch, [8]);
    double sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += 256) {
        sum += partial[i];
    }
    sum = quern::block_sum<256>(sum, scratch);
    if (threadIdx.x == 0) {
        *y = static_cast<float>(sum / divisor);
    }
}

/// da = 2 (a - b) dy / n; da may be a or b.
QUERN_KERNEL_BY_DTYPE(256, mean_squared_error_backward, (const T* a, const T* b, const float* dy, T* da, long long elements), {
    const double factor = 2.0 * *dy / static_cast<double>(elements);
    map2(a, b, da, elements, [factor](float u, float v) { return static_cast<float>((static_cast<double>(u) - v) * factor); });
})
