// Sums over warps, blocks, columns and whole tensors, in an order that depends on the extents alone. Partial sums are
// doubles: memory is the limit of these kernels, and a reduction in double is exact enough at any length.
#pragma once

#include "ptx.cuh"

namespace quern {

QUERN_DEVICE double shuffle_xor(double value, int lanes) {
    const u64 bits = static_cast<u64>(__double_as_longlong(value));
    const u64 low = shuffle_xor(static_cast<u32>(bits), lanes);
    const u64 high = shuffle_xor(static_cast<u32>(bits >> 32), lanes);
    return __longlong_as_double(static_cast<long long>(high << 32 | low));
}

template <class T>
QUERN_DEVICE T warp_sum(T value) {
    for (int distance = 16; distance > 0; distance /= 2) {
        value += shuffle_xor(value, distance);
    }
    return value;
}

/// A NaN among finite numbers may be lost.
QUERN_DEVICE float warp_max(float value) {
    for (int distance = 16; distance > 0; distance /= 2) {
        value = max_of(value, shuffle_xor(value, distance));
    }
    return value;
}

/// Sum over a block of kThreads; the first thread gets it. scratch has a double per warp.
template <int kThreads>
QUERN_DEVICE double block_sum(double value, double* scratch) {
    constexpr int kWarps = kThreads / 32;
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = value;
    }
    block_barrier();
    double sum = 0;
    if (threadIdx.x == 0) {
        for (int i = 0; i < kWarps; i++) {
            sum += scratch[i];
        }
    }
    block_barrier();
    return sum;
}

/// The row of a warp, where every warp of a block of kRowThreads has one.
constexpr int kRowThreads = 128;
QUERN_DEVICE long long warp_row() { return (static_cast<long long>(blockIdx.x) * kRowThreads + threadIdx.x) / 32; }

struct Pair {
    double a, b;
};

/// Blocks of 32 columns x 8 threads; blockIdx.y counts chunks of rows. partial: (chunks, 2, columns).
constexpr int kColumnThreads = 256;
template <class Term>
QUERN_DEVICE void column_sums(long long rows, int columns, long long chunk, double* partial, Pair (*shared)[32],
                              Term term) {
    const int lane = threadIdx.x % 32;
    const int group = threadIdx.x / 32;
    const int column = static_cast<int>(blockIdx.x) * 32 + lane;
    const long long first = static_cast<long long>(blockIdx.y) * chunk;
    const long long end = min_of(rows, first + chunk);
    Pair sum{0, 0};
    if (column < columns) {
#pragma unroll 4  // several loads under way
        for (long long row = first + group; row < end; row += 8) {
            const Pair next = term(row, column);
            sum.a += next.a;
            sum.b += next.b;
        }
    }
    shared[group][lane] = sum;
    block_barrier();
    if (group == 0 && column < columns) {
        for (int i = 1; i < 8; i++) {
            sum.a += shared[i][lane].a;
            sum.b += shared[i][lane].b;
        }
        double* out = partial + static_cast<long long>(blockIdx.y) * 2 * columns + column;
        out[0] = sum.a;
        out[columns] = sum.b;
    }
}

/// The sums of a column over all chunks.
QUERN_DEVICE Pair column_total(const double* partial, int chunks, int columns, int column) {
    Pair sum{0, 0};
#pragma unroll 8
    for (int i = 0; i < chunks; i++) {
        const double* in = partial + static_cast<long long>(i) * 2 * columns + column;
        sum.a += in[0];
        sum.b += in[columns];
    }
    return sum;
}

/// A block's share of a sum over all elements, to partial[blockIdx.x].
constexpr int kSumThreads = 256;
template <class Term>
QUERN_DEVICE void partial_sum(long long elements, double* partial, double* scratch, Term term) {
    double sum = 0;
    for (long long i = global_index(); i < elements; i += global_size()) {
        sum += term(i);
    }
    sum = block_sum<kSumThreads>(sum, scratch);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

}  // namespace quern
