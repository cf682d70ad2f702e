// The matrix product of bf16 operands on Hopper's tensor cores (wgmma), with f32 sums. sm_90a only.
//
// Persistent blocks of three warpgroups: one brings tiles of 64 k by TMA into a ring of slots, two multiply a half of the block's
// 128 rows each. The loads run ahead into the next tile of c while the sums of this one are finished.
#pragma once

#include "matmul.cuh"
#include "ptx/barrier.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/tensor.cuh"
#include "ptx/warp.cuh"
#include "ptx/wgmma.cuh"

#if QUERN_SIM || defined(__CUDA_ARCH_FEAT_SM90_ALL)
namespace quern::matmul::hopper {

inline constexpr int kThreads = 384;
inline constexpr int kRows = 128;
inline constexpr int kDepth = 64;
/// Of a warp's strip of sums on their way out: 32 columns, and 8 more against bank conflicts.
inline constexpr int kStrip = 32, kPitch = kStrip + 8, kStripBytes = 16 * kPitch * 4;

template <int Columns>
struct Shape {
    static constexpr int kA = kRows * kDepth * 2, kSlot = kA + Columns * kDepth * 2;
    static constexpr int kSlots = 4 * 48 * 1024 / kSlot;
    static constexpr int kBarriers = kSlots * kSlot + 8 * kStripBytes;
    /// Of dynamic shared memory: ring, strips, a full and an empty barrier per slot.
    static constexpr int kBytes = kBarriers + kSlots * 16;
};

/// The tile of an operand from (k, x) on. Along: k is contiguous, one box; else boxes of 64 x, one behind the other.
template <int Width, bool Along>
QUERN_DEVICE void load_tile(unsigned char* to, const TensorMap* map, u64* barrier, int k, int x, int batch) {
    if constexpr (Along) {
        tensor_load_3d(to, map, barrier, k, x, batch);
    } else {
#pragma unroll
        for (int box = 0; box < Width / 64; box++) {
            tensor_load_3d(to + box * 64 * kDepth * 2, map, barrier, x + box * 64, k, batch);
        }
    }
}

/// Of 16 k of such a tile.
template <bool Along>
QUERN_DEVICE u64 describe(const unsigned char* tile, int k) {
    return Along ? matrix_descriptor(tile + k * 2, 16, 1024, Swizzle::k128)
                 : matrix_descriptor(tile + k * 128, 64 * kDepth * 2, 1024, Swizzle::k128);
}

template <int Columns, bool MajorA, bool MajorB>
QUERN_DEVICE void multiply(float (&sums)[Columns / 2], u64 a, u64 b, bool accumulate) {
    if constexpr (Columns == 128) {
        wgmma_m64n128k16_bf16<MajorA, MajorB>(sums, a, b, accumulate);
    } else {
        wgmma_m64n256k16_bf16<MajorA, MajorB>(sums, a, b, accumulate);
    }
}

/// Slot of the ring, and how often it has been round.
template <int Slots>
struct Ring {
    int slot = 0;
    unsigned phase = 0;
    QUERN_DEVICE void advance() {
        if (++slot == Slots) {
            slot = 0;
            phase ^= 1;
        }
    }
};

/// Calls body(part, first row, first column) for the block's tiles.
template <int Columns, class Body>
QUERN_DEVICE void for_tiles(const Call& p, Body body) {
    unsigned rows = ceil_div(p.m, kRows), columns = ceil_div(p.n, Columns), all = rows * columns * p.batch * p.splits;
    for (unsigned tile = blockIdx.x; tile < all; tile += gridDim.x) {
        int row, column;
        tile_at(tile % (rows * columns), rows, columns, row, column);
        body(Part(p, kDepth, tile / (rows * columns)), row * kRows, column * Columns);
    }
}

template <int Columns, bool TransposeA, bool TransposeB>
QUERN_DEVICE void run(const TensorMap* map_a, const TensorMap* map_b, const Call& p) {
    using S = Shape<Columns>;
    QUERN_DYNAMIC_SHARED(unsigned char, memory);
    u64* full = reinterpret_cast<u64*>(memory + S::kBarriers);
    u64* empty = full + S::kSlots;
    if (threadIdx.x == 0) {
        prefetch_map(map_a);
        prefetch_map(map_b);
        for (int slot = 0; slot < S::kSlots; slot++) {
            mbarrier_init(&full[slot], 1);
            mbarrier_init(&empty[slot], 8);  // warps that multiply
        }
        fence_mbarrier_init();
    }
    block_barrier();
    Ring<S::kSlots> ring;
    if (threadIdx.x >= 256) {
        registers_decrease<40>();
        if (threadIdx.x == 256) {
            for_tiles<Columns>(p, [&](const Part& part, int row, int column) {
                for (int k = part.begin; k < part.end; k += kDepth) {
                    // the first time round the slots are free
                    mbarrier_wait(&empty[ring.slot], ring.phase ^ 1);
                    mbarrier_arrive_expect(&full[ring.slot], S::kSlot);
                    unsigned char* tile = memory + ring.slot * S::kSlot;
                    load_tile<kRows, !TransposeA>(tile, map_a, &full[ring.slot], k, row, part.batch);
                    load_tile<Columns, TransposeB>(tile + S::kA, map_b, &full[ring.slot], k, column, part.batch);
                    ring.advance();
                }
            });
        }
        return;
    }
    registers_increase<232>();
    int group = static_cast<int>(threadIdx.x) / 128, warp = static_cast<int>(threadIdx.x) / 32, lane = lane_id();
    float* strip = reinterpret_cast<float*>(memory + S::kSlots * S::kSlot + warp * kStripBytes);
    for_tiles<Columns>(p, [&](const Part& part, int row0, int column0) {
        float sums[Columns / 2];
        int last = -1;
        for (int k = part.begin; k < part.end; k += kDepth) {
            mbarrier_wait(&full[ring.slot], ring.phase);
            // rows 64 .. 127 of a lie 64 lines further on, in both layouts
            const unsigned char* a = memory + ring.slot * S::kSlot + group * 64 * kDepth * 2;
            const unsigned char* b = memory + ring.slot * S::kSlot + S::kA;
            wgmma_fence();
#pragma unroll
            for (int step = 0; step < kDepth; step += 16) {
                multiply<Columns, TransposeA, !TransposeB>(sums, describe<!TransposeA>(a, step), describe<TransposeB>(b, step),
                                                           k + step > part.begin);
            }
            wgmma_commit();
            // the slot before is read once only this one is under way
            wgmma_wait<1>();
            if (last >= 0 && lane == 0) {
                mbarrier_arrive(&empty[last]);
            }
            last = ring.slot;
            ring.advance();
        }
        wgmma_wait<0>();
        if (lane == 0) {
            mbarrier_arrive(&empty[last]);
        }
        // 16 rows x 32 columns at a time through one copy of the epilogue's code
#pragma unroll 1
        for (int s = 0; s < Columns / kStrip; s++) {
#pragma unroll
            for (int r = 0; r < Columns / kStrip; r++) {
                if (r == s) {
#pragma unroll
                    for (int j = 0; j < kStrip / 8; j++) {
                        const float* d = &sums[(r * kStrip / 8 + j) * 4];
                        float* to = strip + lane / 4 * kPitch + j * 8 + lane % 4 * 2;
                        store_vec(to, Vec<float, 2>{{d[0], d[1]}});
                        store_vec(to + 8 * kPitch, Vec<float, 2>{{d[2], d[3]}});
                    }
                }
            }
            warp_barrier();
#pragma unroll 1
            for (int piece = lane; piece < 16 * kStrip / 8; piece += 32) {
                int row = piece / (kStrip / 8), column = piece % (kStrip / 8) * 8;
                Vec<float, 8> run = load_floats<8>(strip + row * kPitch + column);
                deliver<8, true>(p, part, row0 + warp * 16 + row, column0 + s * kStrip + column, run);
            }
            warp_barrier();
        }
    });
}

}  // namespace quern::matmul::hopper
#endif
