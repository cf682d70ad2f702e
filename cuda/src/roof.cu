// What a GPU can do at most: the rates that the benchmarks hold the other kernels to.
#include "elementwise.cuh"
#include "ptx/matrix.cuh"

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

namespace {

/// Eight independent sums per warp; whatever the operands are, they are in registers. Every thread writes one number.
template <class Multiply>
QUERN_DEVICE void tensor_roof(float* y, int rounds, Multiply multiply) {
    constexpr int sums = 8;
    float d[sums][4] = {};
    quern::u32 a[4], b[2];
#pragma unroll
    for (int i = 0; i < 6; i++) {
        // two bf16 (one f32) of 0.5 to 1 of either sign: constants would need less power and run faster
        quern::u32 bits = ((threadIdx.x * 6 + i) * 0x9e3779b1u & 0x807f807fu) | 0x3f003f00u;
        (i < 4 ? a[i] : b[i - 4]) = bits;
    }
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int j = 0; j < sums; j++) {
            multiply(d[j], a, b);
        }
    }
    float sum = 0;
#pragma unroll
    for (int j = 0; j < sums; j++) {
        sum += d[j][0] + d[j][1] + d[j][2] + d[j][3];
    }
    y[quern::global_index()] = sum;
}

}  // namespace

/// Tensor cores by mma.sync, per round and warp eight products 16x8x16: 32768 operations.
QUERN_KERNEL(256, roof_mma_bf16, float* y, int rounds) {
    tensor_roof(y, rounds, [](auto& d, const auto& a, const auto& b) { quern::mma_m16n8k16_bf16(d, a, b); });
}

/// The same with 16x8x8 of tf32: 16384 operations.
QUERN_KERNEL(256, roof_mma_tf32, float* y, int rounds) {
    tensor_roof(y, rounds, [](auto& d, const auto& a, const auto& b) { quern::mma_m16n8k8_tf32(d, a, b); });
}
