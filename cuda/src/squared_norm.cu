// y = sum of squares, in two steps of a fixed order: a function of n alone.
// squared_norm_f32(const float* x, float* partial, int64 n)       block 256, grid ceil(n / 16384): one partial each
// squared_norm_finish_f32(const float* partial, float* y, int count)   block 256, grid 1
#include "reduce.cuh"

QUERN_KERNEL(256, squared_norm_f32, const float* x, float* partial, long long n) {
    using namespace quern;
    long long begin = static_cast<long long>(blockIdx.x) * 16384, end = min_of(begin + 16384, n);
    float sum = 0;
    for (long long i = begin + threadIdx.x; i < end; i += 256) {
        sum = fmaf(x[i], x[i], sum);
    }
    sum = block_reduce<Sum, 256>(sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

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
