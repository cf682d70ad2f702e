// What all matrix products share: the problem c = d(f(alpha op(a) op(b) + beta c + bias)), its cut into parts along k, and the
// end of the work on sums, in runs of neighbours of a row.
#pragma once

#include "activation.cuh"
#include "philox.cuh"
#include "mixed.cuh"

namespace quern::matmul {

struct Problem {
    const void *a, *b, *bias;
    void *c, *preactivation;
    /// [splits][batch][m][n] or null.
    float* partial;
    int m, n, k, batch;
    long long stride_a, stride_b, stride_c;
    float alpha, beta;
    int activation, splits;
    /// Of dropout; 0: none.
    u32 threshold;
    float scale;
    /// bias, c and preactivation are bf16 instead of f32.
    int narrow;
};

/// A kernel's parameters.
struct Call : Problem {
    RngKey rng;
    /// Null, or where rng's step is read from.
    const u32* step;
};

/// What a tile of c is made of: an item of the batch, and a part of k.
struct Part {
    int batch, split, begin, end;

    /// Whole steps of k, so that loads of 16 bytes stay aligned.
    QUERN_DEVICE Part(const Call& p, int depth, unsigned index) {
        batch = static_cast<int>(index) / p.splits;
        split = static_cast<int>(index) % p.splits;
        int per_split = ceil_div(ceil_div(p.k, depth), p.splits) * depth;
        begin = static_cast<int>(min_of(static_cast<long long>(split) * per_split, static_cast<long long>(p.k)));
        end = static_cast<int>(min_of(static_cast<long long>(begin) + per_split, static_cast<long long>(p.k)));
    }
};

/// Tile index of rows x columns: groups of 8 rows, column by column, so that blocks at work together share operands in L2.
QUERN_DEVICE void tile_at(unsigned index, unsigned rows, unsigned columns, int& row, int& column) {
    constexpr unsigned kGroup = 8;
    unsigned per_group = kGroup * columns, first = index / per_group * kGroup, height = min_of(rows - first, kGroup);
    row = static_cast<int>(first + index % per_group % height);
    column = static_cast<int>(index % per_group / height);
}

/// io.quern.op.Dropout of elements i .. i + N - 1, bit for bit.
template <int N>
QUERN_DEVICE void drop(const Call& p, long long i, Vec<float, N>& run) {
    RngKey rng = p.rng;
    if (p.step != nullptr) {
        rng.step = *p.step;
    }
    u64 block = static_cast<u64>(i) / 8;
    int first = static_cast<int>(i & 7);
    u32 dropped = 0;  // a bit per lane of two blocks of the generator
#pragma unroll 1
    for (int half = 0; half < 2 && half * 8 < first + N; half++) {
        u32 words[4];
        philox(rng, block + half, words);
#pragma unroll
        for (int lane = 0; lane < 8; lane++) {
            dropped |= (lane16(words, lane) < p.threshold ? 1u : 0u) << (half * 8 + lane);
        }
    }
#pragma unroll
    for (int j = 0; j < N; j++) {
        run[j] = dropped >> (first + j) & 1 ? 0.0f : run[j] * p.scale;
    }
}

/// Sums become results. at: the first one's index in c; Mixed: p.narrow may be set.
template <int N, bool Mixed>
QUERN_DEVICE void finish(const Call& p, long long at, int column, int valid, Vec<float, N>& run) {
    bool narrow = Mixed && p.narrow != 0;
    bool whole = valid >= N && p.n % N == 0;
#pragma unroll
    for (int j = 0; j < N; j++) {
        run[j] *= p.alpha;
    }
    if (p.beta != 0.0f) {
        Vec<float, N> c = load_mixed<N>(p.c, narrow, at, whole, valid);
#pragma unroll
        for (int j = 0; j < N; j++) {
            run[j] = fmaf(p.beta, c[j], run[j]);
        }
    }
    if (p.bias != nullptr) {
        Vec<float, N> bias = load_mixed<N>(p.bias, narrow, column, whole, valid);
#pragma unroll
        for (int j = 0; j < N; j++) {
            run[j] += bias[j];
        }
    }
    if (p.preactivation != nullptr) {
        store_mixed(p.preactivation, narrow, at, run, whole, valid);
    }
    if (p.activation != kNone) {
        activate_each(run, p.activation, narrow);
    }
    if (p.threshold != 0) {
        drop<N>(p, at, run);
    }
    store_mixed(p.c, narrow, at, run, whole, valid);
}

/// Where a block's sums go from (row, column) on: to partial, if other blocks have the rest, else they are finished.
template <int N, bool Mixed>
QUERN_DEVICE void deliver(const Call& p, const Part& part, int row, int column, Vec<float, N>& run) {
    if (row >= p.m || column >= p.n) {
        return;
    }
    int valid = p.n - column;
    long long at = static_cast<long long>(row) * p.n + column;
    if (p.splits > 1) {
        long long item = static_cast<long long>(p.m) * p.n;
        float* to = p.partial + (static_cast<long long>(part.split) * p.batch + part.batch) * item + at;
        store_floats(to, run, valid >= N && p.n % N == 0, valid);
    } else {
        finish<N, Mixed>(p, part.batch * p.stride_c + at, column, valid, run);
    }
}

}  // namespace quern::matmul
