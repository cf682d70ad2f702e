// The matrix product on tensor cores, a warp at a time (mma.sync): bf16 operands, or f32 ones rounded to tf32; sums in f32.
//
// A block of 4 warps makes a BM x BN tile. Its operands come by cp.async, 64 bytes of k at a time, into a ring of Stages slots of
// shared memory, whose 16-byte chunks are swizzled so that neither the copies nor the reads of fragments meet in a bank. At
// the end sums go through shared memory, so that a lane has 8 neighbours: 16 bytes of bf16, and one draw of the generator.
#pragma once

#include "matmul.cuh"
#include "ptx/barrier.cuh"
#include "ptx/matrix.cuh"

namespace quern::matmul {

inline constexpr int kMmaThreads = 128;

/// A Depth x Width tile of an operand in shared memory. Along: lines run along k, otherwise along rows (columns, for b).
template <class T, int Width, int Depth, bool Along>
struct Operand {
    static constexpr int kPerChunk = 16 / sizeof(T);
    static constexpr int kLines = Along ? Width : Depth;
    static constexpr int kChunks = (Along ? Depth : Width) / kPerChunk;
    static constexpr int kBytes = Width * Depth * static_cast<int>(sizeof(T));
    /// The block's threads copy so many lines at once; a thread's chunk and swizzle are the same in all of them.
    static constexpr int kLineStep = kMmaThreads / kChunks;
    static_assert(kLineStep % (Along || sizeof(T) == 2 ? 8 : 4) == 0 && kLines % kLineStep == 0);

    const T* next;
    long long pitch;
    int k, x, last_k, last_x;
    bool aligned;
    unsigned offset;

    /// Chunks of a line are permuted: 8 neighbouring lines, or the 4 that are read at once, have one in different banks.
    QUERN_DEVICE static unsigned place(int line, int chunk) {
        int mixed = Along ? (kChunks == 4 ? line >> 1 & 3 : line & 7) : (sizeof(T) == 2 ? line & 7 : (line & 3) * 2);
        return static_cast<unsigned>((line * kChunks + (chunk ^ mixed)) * 16);
    }

    /// The first tile, from (first_k, first_x) on; pitch: elements from a line of memory to the next.
    QUERN_DEVICE Operand(const T* source, long long pitch, int first_k, int last_k, int first_x, int last_x)
        : pitch(pitch), last_k(last_k), last_x(last_x), aligned(aligned16(source) && pitch % kPerChunk == 0) {
        int line = static_cast<int>(threadIdx.x) / kChunks, chunk = static_cast<int>(threadIdx.x) % kChunks;
        k = first_k + (Along ? chunk * kPerChunk : line);
        x = first_x + (Along ? line : chunk * kPerChunk);
        next = source + (Along ? x * pitch + k : k * pitch + x);
        offset = place(line, chunk);
    }

    /// Copies the tile and goes on to the one behind it.
    QUERN_DEVICE void load(char* tile) {
#pragma unroll
        for (int line = 0; line < kLines; line += kLineStep) {
            int valid = Along ? (x + line < last_x ? last_k - k : 0) : (k + line < last_k ? last_x - x : 0);
            copy_chunk(tile + offset + line * kChunks * 16, next + line * pitch, valid);
        }
        k += Depth;
        next += Along ? Depth : Depth * pitch;
    }

    /// The first valid of the elements of a chunk, zeros behind them.
    QUERN_DEVICE void copy_chunk(char* to, const T* from, int valid) const {
        if (aligned) {
            copy_async<16>(to, from, valid > 0);
        } else if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int j = 0; j < kPerChunk; j++) {
                copy_async<4>(to + j * 4, from + j, j < valid);
            }
        } else {
            Pack<T> pack{};
#pragma unroll
            for (int j = 0; j < kPerChunk; j++) {
                if (j < valid) {
                    pack[j] = from[j];
                }
            }
            store_pack(reinterpret_cast<T*>(to), pack);
        }
    }

    /// Four registers of 16 x (2 chunks of k), as lhs of a product, or 8 x (2 chunks) of rhs twice.
    template <bool Lhs>
    QUERN_DEVICE static void fragment(u32 (&d)[4], const char* tile, int x, int k) {
        int lane = lane_id();
        // which of the two halves in x, and in k, the lane's matrix (or register 1, 2) has
        int low = lane / 8 & 1, high = lane / 16, in_x = Lhs ? low : high, in_k = Lhs ? high : low;
        if constexpr (Along) {
            ldmatrix_x4(d, tile + place(x + lane % 8 + in_x * 8, k / kPerChunk + in_k));
        } else if constexpr (sizeof(T) == 2) {
            ldmatrix_x4_transposed(d, tile + place(k + lane % 8 + in_k * 8, x / kPerChunk + in_x));
        } else {
            // ldmatrix transposes 16-bit elements only
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int column = x + lane / 4 + (Lhs ? i & 1 : i >> 1) * 8, line = k + lane % 4 + (Lhs ? i >> 1 : i & 1) * 4;
                d[i] = *reinterpret_cast<const u32*>(tile + place(line, column / 4) + column % 4 * 4);
            }
        }
        if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                d[i] = to_tf32(__uint_as_float(d[i]));
            }
        }
    }
};

template <class T, int BM, int BN, int Stages, bool TransposeA, bool TransposeB>
QUERN_DEVICE void run_mma(const Call& p) {
    constexpr int WM = BM / 2, WN = BN / 2, M = WM / 16, N = WN / 8, Depth = 64 / sizeof(T), Step = 32 / sizeof(T);
    constexpr int Pitch = WN + 8;
    using A = Operand<T, BM, Depth, !TransposeA>;
    using B = Operand<T, BN, Depth, TransposeB>;
    constexpr int Slot = A::kBytes + B::kBytes;
    static_assert(4 * 16 * Pitch * 4 <= Stages * Slot && N % 2 == 0);
    QUERN_SHARED(char, memory, [Stages * Slot]);

    Part part(p, Depth, blockIdx.z);
    int row0, column0;
    tile_at(blockIdx.y * gridDim.x + blockIdx.x, gridDim.y, gridDim.x, row0, column0);
    row0 *= BM;
    column0 *= BN;
    A a(static_cast<const T*>(p.a) + part.batch * p.stride_a, TransposeA ? p.m : p.k, part.begin, part.end, row0, p.m);
    B b(static_cast<const T*>(p.b) + part.batch * p.stride_b, TransposeB ? p.k : p.n, part.begin, part.end, column0, p.n);
    int steps = ceil_div(part.end - part.begin, Depth);
    int warp = static_cast<int>(threadIdx.x) / 32, lane = lane_id();
    int warp_row = warp / 2 * WM, warp_column = warp % 2 * WN;

    auto load = [&](int step, int slot) {
        if (step < steps) {
            a.load(memory + slot * Slot);
            b.load(memory + slot * Slot + A::kBytes);
        }
        copy_commit();
    };
#pragma unroll
    for (int s = 0; s < Stages - 1; s++) {
        load(s, s);
    }
    float sums[M][N][4] = {};
    int now = 0, free = Stages - 1;
    for (int step = 0; step < steps; step++) {
        copy_wait<Stages - 2>();
        block_barrier();  // this step's tiles are there, and nobody reads the last one's
        load(step + Stages - 1, free);
        const char* tile_a = memory + now * Slot;
        const char* tile_b = tile_a + A::kBytes;
        u32 x[2][M][4], y[2][N / 2][4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
#pragma unroll
            for (int i = 0; i < M; i++) {
                A::template fragment<true>(x[half][i], tile_a, warp_row + i * 16, half * Step);
            }
#pragma unroll
            for (int j = 0; j < N / 2; j++) {
                B::template fragment<false>(y[half][j], tile_b, warp_column + j * 16, half * Step);
            }
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
#pragma unroll
            for (int i = 0; i < M; i++) {
#pragma unroll
                for (int j = 0; j < N; j++) {
                    u32 pair[2] = {y[half][j / 2][j % 2 * 2], y[half][j / 2][j % 2 * 2 + 1]};
                    if constexpr (sizeof(T) == 2) {
                        mma_m16n8k16_bf16(sums[i][j], x[half][i], pair);
                    } else {
                        mma_m16n8k8_tf32(sums[i][j], x[half][i], pair);
                    }
                }
            }
        }
        now = now + 1 == Stages ? 0 : now + 1;
        free = free + 1 == Stages ? 0 : free + 1;
    }
    copy_wait<0>();
    block_barrier();
    // 16 rows of the warp's sums at a time, through one copy of the epilogue's code
    float* strip = reinterpret_cast<float*>(memory) + warp * 16 * Pitch;
#pragma unroll 1
    for (int i = 0; i < M; i++) {
#pragma unroll
        for (int r = 0; r < M; r++) {
            if (r == i) {
#pragma unroll
                for (int j = 0; j < N; j++) {
                    float* to = strip + lane / 4 * Pitch + j * 8 + lane % 4 * 2;
                    store_vec(to, Vec<float, 2>{{sums[r][j][0], sums[r][j][1]}});
                    store_vec(to + 8 * Pitch, Vec<float, 2>{{sums[r][j][2], sums[r][j][3]}});
                }
            }
        }
        warp_barrier();
#pragma unroll 1
        for (int piece = lane; piece < 16 * WN / 8; piece += 32) {
            int row = piece / (WN / 8), column = piece % (WN / 8) * 8;
            Run<8> run = load_run<float, 8>(strip + row * Pitch + column, 8, true);
            deliver<8, true>(p, part, row0 + warp_row + i * 16 + row, column0 + warp_column + column, run);
        }
        warp_barrier();
    }
}

}  // namespace quern::matmul
