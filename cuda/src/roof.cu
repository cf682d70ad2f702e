// What a GPU can do at most: the rates that the benchmarks hold the other kernels to.
#include "elementwise.cuh"

/// y = x: the rate of memory-bound ops.
QUERN_KERNEL(256, roof_copy_f32, const float* x, float* y, long long elements) {
    quern::map1(x, y, elements, [](float v) { return v; });
}

/// Sixteen independent chains of multiply-adds per thread, in registers: 32 operations per round and thread.
QUERN_KERNEL(256, roof_fma_f32, float* y, int rounds, float a, float b) {
    float chains[16];
#pragma unroll
    for (int j = 0; j < 16; j++) {
        chains[j] = static_cast<float>(j + threadIdx.x);
    }
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int j = 0; j < 16; j++) {
            chains[j] = fmaf(chains[j], a, b);
        }
    }
    float sum = 0;
#pragma unroll
    for (int j = 0; j < 16; j++) {
        sum += chains[j];
    }
    y[quern::global_index()] = sum;
}
