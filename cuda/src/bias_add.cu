// y[row, c] = x[row, c] + bias[c]; y may be x.
// bias_add_f32(const float* x, const float* bias, float* y, int64 n, int channels)   n = rows * channels; bias_add_bf16 alike
#include "elementwise.cuh"

namespace quern::bias_add {

template <class T>
QUERN_DEVICE void run(const T* x, const T* bias, T* y, long long n, int channels) {
    constexpr int lanes = kLanes<T>;
    if (channels % lanes == 0 && aligned16(x) && aligned16(bias) && aligned16(y)) {
        for_each(n / lanes, [&](long long p) {
            Vec<float, lanes> values = load_floats<lanes>(x + p * lanes);
            const Vec<float, lanes> added = load_floats<lanes>(bias + p % (channels / lanes) * lanes);
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                values[j] += added[j];
            }
            store_floats(y + p * lanes, values);
        });
    } else {
        for_each(n, [&](long long i) { y[i] = from_float<T>(to_float(x[i]) + to_float(bias[i % channels])); });
    }
}

}  // namespace quern::bias_add

QUERN_KERNEL_BY_DTYPE(256, bias_add, (const T* x, const T* bias, T* y, long long n, int channels), {
    bias_add::run(x, bias, y, n, channels);
})
