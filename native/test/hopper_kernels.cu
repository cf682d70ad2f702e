// Kernels with the instructions of compute capability 9.0, as a Hopper product or convolution uses them.
#include "ptx.cuh"

using namespace quern;

/// d (64 x 128) = a (64 x k) b (128 x k)^T, bf16 through a ring of 3 slots: warpgroup 1 loads, warpgroup 0 multiplies.
/// fault 1: the loads' slot is never given back; 2: sums are read without waiting for them; 3: a slot is given back while it is read.
QUERN_KERNEL(256, ring_bf16, QUERN_GRID_CONSTANT TensorMap a, QUERN_GRID_CONSTANT TensorMap b, QUERN_GRID_CONSTANT TensorMap d,
             int k, int fault) {
    QUERN_DYNAMIC_SHARED(unsigned char, memory);
    QUERN_SHARED(u64, full, [3]);
    QUERN_SHARED(u64, empty, [3]);
    constexpr unsigned kA = 64 * 128, kB = 128 * 128, kSlot = kA + kB;
    float* out = reinterpret_cast<float*>(memory + 3 * kSlot);
    if (threadIdx.x == 0) {
        for (int slot = 0; slot < 3; slot++) {
            mbarrier_init(&full[slot], 1);
            mbarrier_init(&empty[slot], 1);
        }
        fence_mbarrier_init();
    }
    block_barrier();
    int steps = (k + 63) / 64;
    if (threadIdx.x >= 128) {
        registers_decrease<40>();
        if (threadIdx.x == 128) {
            for (int step = 0; step < steps; step++) {
                int slot = step % 3;
                if (step >= 3) mbarrier_wait(&empty[slot], (step / 3 - 1) & 1);
                mbarrier_arrive_expect(&full[slot], kSlot);
                tensor_load_2d(memory + slot * kSlot, &a, &full[slot], step * 64, 0);
                tensor_load_2d(memory + slot * kSlot + kA, &b, &full[slot], step * 64, 0);
            }
        }
        return;
    }
    registers_increase<200>();
    float sums[64];
    for (int step = 0; step < steps; step++) {
        int slot = step % 3;
        mbarrier_wait(&full[slot], step / 3 & 1);
        wgmma_fence();
        for (int part = 0; part < 4; part++) {
            u64 x = matrix_descriptor(memory + slot * kSlot + part * 32, 16, 1024, Swizzle::k128);
            u64 y = matrix_descriptor(memory + slot * kSlot + kA + part * 32, 16, 1024, Swizzle::k128);
            wgmma_m64n128k16_bf16(sums, x, y, step + part > 0);
        }
        wgmma_commit();
        if (fault == 3) wgmma_wait<1>();
        else if (fault != 2) wgmma_wait<0>();
        if (threadIdx.x == 0 && fault != 1) mbarrier_arrive(&empty[slot]);
    }
    if (fault == 3) wgmma_wait<0>();
    int warp = threadIdx.x / 32, lane = lane_id();
    // four boxes of 64 x 32 floats, 128 bytes wide
    for (int j = 0; j < 16; j++) {
        for (int i = 0; i < 4; i++) {
            int row = 16 * warp + lane / 4 + i / 2 * 8, column = 8 * j + 2 * (lane % 4) + i % 2;
            out[column / 32 * 64 * 32 + row * 32 + column % 32] = sums[4 * j + i];
        }
    }
    wgmma_wait<0>();
    fence_async_shared();
    barrier_sync(1, 128);
    if (threadIdx.x == 0) {
        for (int box = 0; box < 4; box++) tensor_store_2d(&d, out + box * 64 * 32, box * 32, 0);
        bulk_commit();
        bulk_wait<0>();
    }
}

/// d (64 x 64) = a (64 x 32) b (32 x 64) with both operands' rows contiguous along m and n (transposed), bf16.
QUERN_KERNEL(128, transposed_bf16, QUERN_GRID_CONSTANT TensorMap a, QUERN_GRID_CONSTANT TensorMap b, float* d) {
    QUERN_DYNAMIC_SHARED(unsigned char, memory);
    QUERN_SHARED(u64, full, [1]);
    if (threadIdx.x == 0) {
        mbarrier_init(full, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect(full, 2 * 32 * 128);
        tensor_load_2d(memory, &a, full, 0, 0);
        tensor_load_2d(memory + 32 * 128, &b, full, 0, 0);
    }
    block_barrier();
    mbarrier_wait(full, 0);
    float sums[32];
    wgmma_fence();
    for (int part = 0; part < 2; part++) {
        // 16 lines of k, 128 bytes each; 8 lines further on: 1024 bytes
        u64 x = matrix_descriptor(memory + part * 16 * 128, 4096, 1024, Swizzle::k128);
        u64 y = matrix_descriptor(memory + 32 * 128 + part * 16 * 128, 4096, 1024, Swizzle::k128);
        wgmma_m64n64k16_bf16<true, true>(sums, x, y, part > 0);
    }
    wgmma_commit();
    wgmma_wait<0>();
    for (int j = 0; j < 8; j++)
        for (int i = 0; i < 4; i++)
            d[(16 * (threadIdx.x / 32) + lane_id() / 4 + i / 2 * 8) * 64 + 8 * j + 2 * (lane_id() % 4) + i % 2] = sums[4 * j + i];
}

/// d (64 x 64) = a (64 x 32) b (64 x 32)^T in tf32.
QUERN_KERNEL(128, product_tf32, QUERN_GRID_CONSTANT TensorMap a, QUERN_GRID_CONSTANT TensorMap b, float* d) {
    QUERN_DYNAMIC_SHARED(unsigned char, memory);
    QUERN_SHARED(u64, full, [1]);
    if (threadIdx.x == 0) {
        mbarrier_init(full, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect(full, 2 * 64 * 128);
        tensor_load_2d(memory, &a, full, 0, 0);
        tensor_load_2d(memory + 64 * 128, &b, full, 0, 0);
    }
    block_barrier();
    mbarrier_wait(full, 0);
    float sums[32];
    wgmma_fence();
    for (int part = 0; part < 4; part++) {
        wgmma_m64n64k8_tf32(sums, matrix_descriptor(memory + part * 32, 16, 1024, Swizzle::k128),
                            matrix_descriptor(memory + 64 * 128 + part * 32, 16, 1024, Swizzle::k128), part > 0);
    }
    wgmma_commit();
    wgmma_wait<0>();
    for (int j = 0; j < 8; j++)
        for (int i = 0; i < 4; i++)
            d[(16 * (threadIdx.x / 32) + lane_id() / 4 + i / 2 * 8) * 64 + 8 * j + 2 * (lane_id() % 4) + i % 2] = sums[4 * j + i];
}

/// A column of 32 pixels x 8 channels from pixel (c, w, h, n) with the filter tap (s, r): written row by row.
QUERN_KERNEL(32, columns, QUERN_GRID_CONSTANT TensorMap x, float* y, int w, int h, int n, int s, int r) {
    QUERN_DYNAMIC_SHARED(float, tile);
    QUERN_SHARED(u64, full, [1]);
    if (threadIdx.x == 0) {
        mbarrier_init(full, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect(full, 32 * 8 * 4);
        tensor_load_im2col(tile, &x, full, 0, w, h, n, static_cast<u16>(s), static_cast<u16>(r));
    }
    warp_barrier();
    mbarrier_wait(full, 0);
    for (int i = threadIdx.x; i < 256; i += 32) y[i] = tile[i];
}

/// Block 0 of a cluster of 2 sends a tile to both; each adds what it reads in the other's shared memory.
QUERN_KERNEL(64, cluster_pair, QUERN_GRID_CONSTANT TensorMap x, float* y, int fault) {
    QUERN_DYNAMIC_SHARED(float, tile);
    QUERN_SHARED(u64, full, [1]);
    QUERN_SHARED(float, own, [64]);
    if (threadIdx.x == 0) {
        mbarrier_init(full, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect(full, 2 * 32 * 4);
    }
    own[threadIdx.x] = static_cast<float>(100 * (cluster_rank() + 1) + threadIdx.x);
    cluster_barrier();
    if (cluster_rank() == 0 && threadIdx.x == 0) tensor_load_2d_multicast(tile, &x, full, 0, 0, 3);
    mbarrier_wait(full, 0);
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x] + in_block(own, cluster_rank() ^ 1)[threadIdx.x];
    if (!(fault && cluster_rank() == 1)) cluster_barrier();
}
