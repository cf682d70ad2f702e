// y[row, c] = x[row, c] + bias[c]; y may be x.
// bias_add_f32(const float* x, const float* bias, float* y, int64 n, int channels)   n = rows * channels; bias_add_bf16 alike
#include "elementwise.cuh"

namespace quern::bias_add {

template <class T>
QUERN_DEVICE void run(const T* x, const T* bias, T* y, long long n, int channels) {
    constexpr int lanes = kLanes<T>;
    if (channels % lanes == 0 && aligned16(x) && aligned16(bias) && aligned16(y)) {
        for_each(n / lanes, [&](long long p) {
            Pack<T> a = load_pack(x + p * lanes), b = load_pack(bias + p % (channels / lanes) * lanes), out;
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                out[j] = from_float<T>(to_float(a[j]) + to_float(b[j]));
            }
            store_pack(y + p * lanes, out);
        });
    } else {
        for_each(n, [&](long long i) { y[i] = from_float<T>(to_float(x[i]) + to_float(bias[i % channels])); });
    }
}

}  // namespace quern::bias_add

QUERN_KERNEL_BY_DTYPE(256, bias_add, (const T* x, const T* bias, T* y, long long n, int channels), {
    bias_add::run(x, bias, y, n, channels);
})
