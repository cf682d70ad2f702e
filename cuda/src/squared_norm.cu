// y = sum of squares, in two steps of a fixed order: a function of n alone.
// squared_norm_f32(const float* x, float* partial, int64 n)       block 256, grid ceil(n / 16384): one partial each
// squared_norm_bf16: the same with x in bf16
// squared_norm_finish_f32(const float* partial, float* y, int count)   block 256, grid 1
#include "packs.cuh"
#include "reduce.cuh"

namespace quern::squared_norm {

template <class T>
QUERN_DEVICE void run(const T* x, float* partial, long long n) {
    constexpr long long kPerBlock = 16384;
    const long long begin = blockIdx.x * kPerBlock;
    float sum = 0;
    for_packs<kLanes<T>>(
        static_cast<int>(min_of(kPerBlock, n - begin)), static_cast<int>(threadIdx.x), 256,
        [&](int, float v) { sum = fmaf(v, v, sum); }, x + begin);
    sum = block_reduce<Sum, 256>(sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

}  // namespace quern::squared_norm

QUERN_KERNEL_BY_DTYPE(256, squared_norm, (const T* x, float* partial, long long n), { squared_norm::run(x, partial, n); })

QUERN_KERNEL(256, squared_norm_finish_f32, const float* partial, float* y, int count) {
    using namespace quern;
    float sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += 256) {
        sum += partial[i];
    }
    sum = block_reduce<Sum, 256>(sum);
    if (threadIdx.x == 0) {
        *y = sum;
    }
}
