// Mean of squared differences, by partial sums in double, and its gradient.
#include "sums.cuh"

/// A partial sum per block.
QUERN_KERNEL(256, mean_squared_error_f32, const float* a, const float* b, double* partial, long long elements) {
    QUERN_SHARED(double, scratch, [8]);
    quern::partial_sum(elements, partial, scratch, [=](long long i) {
        const double difference = static_cast<double>(a[i]) - b[i];
        return difference * difference;
    });
}

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

/// da = 2 (a - b) dy / n.
QUERN_KERNEL(256, mean_squared_error_backward_f32, const float* a, const float* b, const float* dy, float* da,
             long long elements) {
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const double factor = 2.0 * *dy / static_cast<double>(elements);
    da[i] = static_cast<float>((static_cast<double>(a[i]) - b[i]) * factor);
}
