// The f32 matrix product on CUDA cores.
//
// A block of 256 threads makes a BM x BN tile, Depth steps of k at a time: global memory -> registers -> one of two tiles in
// shared memory, while the other one is multiplied. A warp has 8 x 4 lanes of TM x TN sums, in chunks of 4 x 4. Lanes lie along a
// Z: two neighbours read the same chunk of one operand, and of the other one what the next two read, so that a read of 16 bytes
// costs shared memory two turns instead of three.
#pragma once

#include "matmul.cuh"
#include "ptx/barrier.cuh"

namespace quern::matmul {

inline constexpr int kSimtThreads = 256;

/// Four neighbours, zeros where x is not below limit.
QUERN_DEVICE Vec<float, 4> load4(const float* p, int valid, bool aligned) {
    Vec<float, 4> out{};
    if (valid >= 4 && aligned) {
        return load_vec<float, 4>(p);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        if (i < valid) {
            out[i] = p[i];
        }
    }
    return out;
}

/// A Depth x Width tile of an operand on its way to shared memory, as [k][x]: runs of four neighbours of a thread.
template <int Depth, int Width, bool Along>  // Along: neighbours in memory along k, otherwise along x
struct Loader {
    static constexpr int kPitch = Width + 4;
    static constexpr int kRuns = Depth * Width / (4 * kSimtThreads);
    /// From a run of the thread to its next one.
    static constexpr int kStepX = Along ? kSimtThreads / (Depth / 4) : 0, kStepK = Along ? 0 : kSimtThreads / (Width / 4);
    static_assert(kRuns > 0 && Depth * Width % (4 * kSimtThreads) == 0);
    const float* next;
    int k, last_k, room;
    bool aligned;
    Vec<float, 4> held[kRuns];

    QUERN_DEVICE static int place_k() {
        return Along ? static_cast<int>(threadIdx.x) % (Depth / 4) * 4 : static_cast<int>(threadIdx.x) / (Width / 4);
    }

    QUERN_DEVICE static int place_x() {
        return Along ? static_cast<int>(threadIdx.x) / (Depth / 4) : static_cast<int>(threadIdx.x) % (Width / 4) * 4;
    }

    /// The first tile, from (first_k, first_x) on; pitch: elements from one line of memory to the next.
    QUERN_DEVICE Loader(const float* source, long long pitch, int first_k, int last_k, int first_x, int last_x)
        : k(first_k + place_k()), last_k(last_k), aligned(aligned16(source) && pitch % 4 == 0) {
        int x = first_x + place_x();
        room = last_x - x;
        next = source + (Along ? x * pitch + k : k * pitch + x);
    }

    /// Reads the tile and goes on to the one behind it.
    QUERN_DEVICE void load(long long pitch) {
#pragma unroll
        for (int i = 0; i < kRuns; i++) {
            int valid = Along ? (room > i * kStepX ? last_k - k : 0) : (k + i * kStepK < last_k ? room : 0);
            held[i] = load4(next + i * (kStepX + kStepK) * pitch, valid, aligned);
        }
        k += Depth;
        next += Along ? Depth : Depth * pitch;
    }

    QUERN_DEVICE void store(float* tile) const {
#pragma unroll
        for (int i = 0; i < kRuns; i++) {
            float* to = tile + (place_k() + i * kStepK) * kPitch + place_x() + i * kStepX;
            if constexpr (Along) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    to[j * kPitch] = held[i][j];
                }
            } else {
                store_vec(to, held[i]);
            }
        }
    }
};

/// Ahead: the operands of the next step of k are read while this one's are multiplied, which takes TM + TN registers.
template <int BM, int BN, int TM, int TN, int Depth, bool Ahead, bool TransposeA, bool TransposeB>
QUERN_DEVICE void run(const Call& p) {
    static_assert(BM / (8 * TM) * (BN / (4 * TN)) == kSimtThreads / 32 && Depth % 2 == 0);
    using LoadA = Loader<Depth, BM, !TransposeA>;
    using LoadB = Loader<Depth, BN, TransposeB>;
    QUERN_SHARED(float, tile_a, [2][Depth * LoadA::kPitch]);
    QUERN_SHARED(float, tile_b, [2][Depth * LoadB::kPitch]);

    Part part(p, Depth, blockIdx.z);
    const float* a = static_cast<const float*>(p.a) + part.batch * p.stride_a;
    const float* b = static_cast<const float*>(p.b) + part.batch * p.stride_b;
    long long pitch_a = TransposeA ? p.m : p.k, pitch_b = TransposeB ? p.k : p.n;
    int row0, column0;
    tile_at(blockIdx.y * gridDim.x + blockIdx.x, gridDim.y, gridDim.x, row0, column0);
    row0 *= BM;
    column0 *= BN;
    int begin = part.begin, end = part.end;

    int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    int warp_row = warp / (BN / (4 * TN)) * (8 * TM) + lane / 2 % 8 * 4;
    int warp_column = warp % (BN / (4 * TN)) * (4 * TN) + (lane / 16 * 2 + lane % 2) * 4;

    float sums[TM][TN] = {};
    float x[Ahead ? 2 : 1][TM], y[Ahead ? 2 : 1][TN];
    auto fetch = [&](int to, const float* line_a, const float* line_b) {
#pragma unroll
        for (int i = 0; i < TM; i += 4) {
            Vec<float, 4> v = load_vec<float, 4>(line_a + warp_row + i * 8);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                x[to][i + j] = v[j];
            }
        }
#pragma unroll
        for (int i = 0; i < TN; i += 4) {
            Vec<float, 4> v = load_vec<float, 4>(line_b + warp_column + i * 4);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                y[to][i + j] = v[j];
            }
        }
    };
    auto multiply = [&](int from) {
#pragma unroll
        for (int i = 0; i < TM; i++) {
#pragma unroll
            for (int j = 0; j < TN; j++) {
                int there_and_back = i % 2 == 0 ? j : TN - 1 - j;
                sums[i][there_and_back] = fmaf(x[from][i], y[from][there_and_back], sums[i][there_and_back]);
            }
        }
    };

    LoadA load_a(a, pitch_a, begin, end, row0, p.m);
    LoadB load_b(b, pitch_b, begin, end, column0, p.n);
    int now = 0;
    auto load = [&] {
        load_a.load(pitch_a);
        load_b.load(pitch_b);
    };
    auto store = [&] {
        load_a.store(tile_a[now]);
        load_b.store(tile_b[now]);
        block_barrier();
    };
    if (begin < end) {
        load();
        store();
        if constexpr (Ahead) {
            fetch(0, tile_a[now], tile_b[now]);
        }
    }
    for (int k0 = begin; k0 < end; k0 += Depth) {
        bool more = k0 + Depth < end;
        if (more) {
            load();
        }
        if constexpr (Ahead) {
#pragma unroll
            for (int k = 1; k <= Depth; k++) {
                if (k < Depth) {
                    fetch(k % 2, &tile_a[now][k * LoadA::kPitch], &tile_b[now][k * LoadB::kPitch]);
                } else if (more) {
                    now ^= 1;
                    store();
                    fetch(0, tile_a[now], tile_b[now]);
                }
                multiply((k - 1) % 2);
            }
        } else {
#pragma unroll 2  // more costs registers, and the second block of a multiprocessor
            for (int k = 0; k < Depth; k++) {
                fetch(0, &tile_a[now][k * LoadA::kPitch], &tile_b[now][k * LoadB::kPitch]);
                multiply(0);
            }
            if (more) {
                now ^= 1;
                store();
            }
        }
    }
    // one row at a time through one copy of the epilogue's code
#pragma unroll 1
    for (int i = 0; i < TM; i++) {
        float row[TN] = {};
#pragma unroll
        for (int r = 0; r < TM; r++) {
            if (r == i) {
#pragma unroll
                for (int j = 0; j < TN; j++) {
                    row[j] = sums[r][j];
                }
            }
        }
#pragma unroll
        for (int j = 0; j < TN; j += 4) {
            Vec<float, 4> run{{row[j], row[j + 1], row[j + 2], row[j + 3]}};
            deliver<4, false>(p, part, row0 + warp_row + i / 4 * 32 + i % 4, column0 + warp_column + j * 4, run);
        }
    }
}

}  // namespace quern::matmul
