// What Hopper's tensor cores can do at most: wgmma on operands that stay in shared memory.
// roof_wgmma_bf16(float* y, int rounds): block 256, one block per processor; per round and warpgroup four products 64x256x16, 2097152 operations
// gate: roof_wgmma_bf16 49152
#include "device.cuh"
#include "ptx/barrier.cuh"
#include "ptx/tensor.cuh"
#include "ptx/wgmma.cuh"
#include "types.cuh"

QUERN_KERNEL(256, roof_wgmma_bf16, float* y, int rounds) {
    constexpr int depth = 64, rows = 128, columns = 256, words = (rows + columns) * depth / 2;
    QUERN_DYNAMIC_SHARED(unsigned char, memory);
    for (int i = static_cast<int>(threadIdx.x); i < words; i += 256) {
        // pairs of 0.5 to 1 of either sign: constants would need less power and run faster
        reinterpret_cast<quern::u32*>(memory)[i] = (static_cast<quern::u32>(i) * 0x9e3779b1u & 0x807f807fu) | 0x3f003f00u;
    }
    quern::fence_async_shared();
    quern::block_barrier();
    float sums[columns / 2];
    const unsigned char* a = memory + threadIdx.x / 128 * 64 * depth * 2;
    const unsigned char* b = memory + rows * depth * 2;
    for (int round = 0; round < rounds; round++) {
        quern::wgmma_fence();
#pragma unroll
        for (int k = 0; k < depth; k += 16) {
            quern::wgmma_m64n256k16_bf16(sums, quern::matrix_descriptor(a + k * 2, 16, 1024, quern::Swizzle::k128),
                                         quern::matrix_descriptor(b + k * 2, 16, 1024, quern::Swizzle::k128), round + k > 0);
        }
        quern::wgmma_commit();
        quern::wgmma_wait<1>();
    }
    quern::wgmma_wait<0>();
    float sum = 0;
#pragma unroll
    for (int j = 0; j < columns / 2; j++) {
        sum += sums[j];
    }
    y[quern::global_index()] = sum;
}
