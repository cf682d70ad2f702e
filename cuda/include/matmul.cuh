// The f32 matrix product on CUDA cores: c = f(alpha op(a) op(b) + beta c + bias).
//
// A block of 256 threads makes a BM x BN tile, Depth steps of k at a time: global memory -> registers -> one of two tiles in
// shared memory, while the other one is multiplied. A warp has 8 x 4 lanes of TM x TN sums, in chunks of 4 x 4, so that its
// reads of shared memory are 16 bytes wide and without bank conflicts.
#pragma once

#include "activation.cuh"
#include "ptx/barrier.cuh"

namespace quern::matmul {

inline constexpr int kThreads = 256;

struct Problem {
    const float *a, *b, *bias;
    float *c, *preactivation, *partial;
    int m, n, k;
    long long stride_a, stride_b, stride_c;
    float alpha, beta;
    int activation, splits;
};

/// Where sums become results; element (row, column) of one product of the batch.
QUERN_DEVICE void finish(const Problem& p, long long at, int column, float sum) {
    sum *= p.alpha;
    if (p.beta != 0.0f) {
        sum = fmaf(p.beta, p.c[at], sum);
    }
    if (p.bias != nullptr) {
        sum += p.bias[column];
    }
    if (p.preactivation != nullptr) {
        p.preactivation[at] = sum;
    }
    p.c[at] = activate(sum, p.activation);
}

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

/// A Depth x Width tile of an operand on its way to shared memory, as [k][x].
template <int Depth, int Width, bool Along>  // Along: neighbours in memory along k, otherwise along x
struct Loader {
    static constexpr int kCount = Depth * Width / 4 / kThreads;
    static constexpr int kPitch = Width + 4;
    Vec<float, 4> held[kCount];

    QUERN_DEVICE static void place(int i, int& k, int& x) {
        int at = static_cast<int>(threadIdx.x) + i * kThreads;
        k = Along ? at % (Depth / 4) * 4 : at / (Width / 4);
        x = Along ? at / (Depth / 4) : at % (Width / 4) * 4;
    }

    /// Reads the tile at (first_k, first_x); pitch: elements from one line of memory to the next.
    QUERN_DEVICE void load(const float* source, long long pitch, int first_k, int last_k, int first_x, int last_x, bool aligned) {
#pragma unroll
        for (int i = 0; i < kCount; i++) {
            int k, x;
            place(i, k, x);
            k += first_k;
            x += first_x;
            const float* p = source + (Along ? x * pitch + k : k * pitch + x);
            int valid = Along ? (x < last_x ? last_k - k : 0) : (k < last_k ? last_x - x : 0);
            held[i] = load4(p, valid, aligned);
        }
    }

    QUERN_DEVICE void store(float* tile) const {
#pragma unroll
        for (int i = 0; i < kCount; i++) {
            int k, x;
            place(i, k, x);
            if constexpr (Along) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    tile[(k + j) * kPitch + x] = held[i][j];
                }
            } else {
                store_vec(tile + k * kPitch + x, held[i]);
            }
        }
    }
};

template <int BM, int BN, int TM, int TN, int Depth, bool TransposeA, bool TransposeB>
QUERN_DEVICE void run(const Problem& p) {
    static_assert(BM / (8 * TM) * (BN / (4 * TN)) == kThreads / 32);
    using LoadA = Loader<Depth, BM, !TransposeA>;
    using LoadB = Loader<Depth, BN, TransposeB>;
    QUERN_SHARED(float, tile_a, [2][Depth * LoadA::kPitch]);
    QUERN_SHARED(float, tile_b, [2][Depth * LoadB::kPitch]);

    int batch = static_cast<int>(blockIdx.z) / p.splits, split = static_cast<int>(blockIdx.z) % p.splits;
    const float* a = p.a + batch * p.stride_a;
    const float* b = p.b + batch * p.stride_b;
    long long pitch_a = TransposeA ? p.m : p.k, pitch_b = TransposeB ? p.k : p.n;
    bool aligned_a = aligned16(a) && pitch_a % 4 == 0, aligned_b = aligned16(b) && pitch_b % 4 == 0;
    int row0 = static_cast<int>(blockIdx.y) * BM, column0 = static_cast<int>(blockIdx.x) * BN;
    // whole steps, so that 16-byte loads stay aligned
    int steps = ceil_div(p.k, Depth), per_split = ceil_div(steps, p.splits);
    int begin = min_of(split * per_split * Depth, p.k), end = min_of(begin + per_split * Depth, p.k);

    int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    int warp_row = warp / (BN / (4 * TN)) * (8 * TM) + lane / 4 * 4, warp_column = warp % (BN / (4 * TN)) * (4 * TN) + lane % 4 * 4;

    float sums[TM][TN] = {};
    LoadA load_a;
    LoadB load_b;
    if (begin < end) {
        load_a.load(a, pitch_a, begin, end, row0, p.m, aligned_a);
        load_b.load(b, pitch_b, begin, end, column0, p.n, aligned_b);
        load_a.store(tile_a[0]);
        load_b.store(tile_b[0]);
        block_barrier();
    }
    int now = 0;
    for (int k0 = begin; k0 < end; k0 += Depth) {
        bool more = k0 + Depth < end;
        if (more) {
            load_a.load(a, pitch_a, k0 + Depth, end, row0, p.m, aligned_a);
            load_b.load(b, pitch_b, k0 + Depth, end, column0, p.n, aligned_b);
        }
#pragma unroll
        for (int k = 0; k < Depth; k++) {
            float x[TM], y[TN];
#pragma unroll
            for (int i = 0; i < TM; i += 4) {
                Vec<float, 4> v = load_vec<float, 4>(&tile_a[now][k * LoadA::kPitch + warp_row + i * 8]);
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    x[i + j] = v[j];
                }
            }
#pragma unroll
            for (int i = 0; i < TN; i += 4) {
                Vec<float, 4> v = load_vec<float, 4>(&tile_b[now][k * LoadB::kPitch + warp_column + i * 4]);
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    y[i + j] = v[j];
                }
            }
#pragma unroll
            for (int i = 0; i < TM; i++) {
#pragma unroll
                for (int j = 0; j < TN; j++) {
                    sums[i][j] = fmaf(x[i], y[j], sums[i][j]);
                }
            }
        }
        now ^= 1;
        if (more) {
            load_a.store(tile_a[now]);
            load_b.store(tile_b[now]);
            block_barrier();
        }
    }
#pragma unroll
    for (int i = 0; i < TM; i++) {
        int row = row0 + warp_row + i / 4 * 32 + i % 4;
#pragma unroll
        for (int j = 0; j < TN; j++) {
            int column = column0 + warp_column + j / 4 * 16 + j % 4;
            if (row < p.m && column < p.n) {
                long long at = batch * p.stride_c + static_cast<long long>(row) * p.n + column;
                if (p.splits > 1) {
                    long long all = gridDim.z / p.splits * static_cast<long long>(p.m) * p.n;
                    long long packed = (static_cast<long long>(batch) * p.m + row) * p.n + column;
                    p.partial[split * all + packed] = sums[i][j];
                } else {
                    finish(p, at, column, sums[i][j]);
                }
            }
        }
    }
}

}  // namespace quern::matmul
