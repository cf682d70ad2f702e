// Sums over warps, blocks, columns and whole tensors, in an order that depends on the extents alone. Partial sums are
// doubles: memory is the limit of these kernels, and a reduction in double is exact enough at any length.
#pragma once

#include "packs.cuh"
#include "ptx.cuh"

namespace quern {

QUERN_DEVICE double shuffle_xor(double value, int lanes) {
    const u64 bits = static_cast<u64>(__double_as_longlong(value));
    const u64 low = shuffle_xor(static_cast<u32>(bits), lanes);
    const u64 high = shuffle_xor(static_cast<u32>(bits >> 32), lanes);
    return __longlong_as_double(static_cast<long long>(high << 32 | low));
}

QUERN_DEVICE double shuffle_from(double value, int lane) {
    const u64 bits = static_cast<u64>(__double_as_longlong(value));
    const u64 low = shuffle_from(static_cast<u32>(bits), lane);
    const u64 high = shuffle_from(static_cast<u32>(bits >> 32), lane);
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

constexpr int kColumnThreads = 256;
constexpr int kColumns = 32;
/// The first of a thread's columns in column_sums; beyond the columns where it has none.
template <int Lanes>
QUERN_DEVICE int own_columns() {
    return static_cast<int>(blockIdx.x) * kColumns + static_cast<int>(threadIdx.x) % (kColumns / Lanes) * Lanes;
}

/// A block has 32 columns and 256 / (32 / Lanes) rows at a time; blockIdx.y counts chunks of rows, which take turns, so that the
/// matrix is read from its front to its back: a pass after this one finds the back in the cache. partial: (chunks, 2, columns).
/// read(row, column, whole) loads what Lanes neighbours take, as it is in memory; term(that, i) is the Pair of one. Lanes must depend
/// on the extents alone, as the order does. whole is a Constant<bool>, known when compiled: a condition at each load would keep the
/// next one from starting.
template <int Lanes, class Read, class Term>
QUERN_DEVICE void column_sums(long long rows, int columns, double* partial, bool whole, Read read, Term term) {
    constexpr int kAlong = kColumns / Lanes, kGroups = kColumnThreads / kAlong;
    QUERN_SHARED(Pair, shared, [kGroups][kColumns]);
    const int group = static_cast<int>(threadIdx.x) / kAlong, along = static_cast<int>(threadIdx.x) % kAlong;
    const int first_column = static_cast<int>(blockIdx.x) * kColumns, own = own_columns<Lanes>();
    const long long step = static_cast<long long>(gridDim.y) * kGroups;
    Vec<Pair, Lanes> sum{};
    const auto walk = [&](auto all_whole) {
        const auto next = [&](long long row) { return read(row, own, all_whole); };
        using Values = decltype(next(0));
        // Rows under way. What was read is used in the next round of the loop, since of loads and uses in one round the compiler
        // makes one after the other, to save registers.
        constexpr int kAhead = sizeof(Values) <= 8 ? 8 : sizeof(Values) <= 16 ? 4 : 2;
        const auto add = [&](const Values& values) {
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                const Pair own_term = term(values, i);
                sum[i].a += own_term.a;
                sum[i].b += own_term.b;
            }
        };
        long long row = static_cast<long long>(blockIdx.y) * kGroups + group;
        if (row + (kAhead - 1) * step < rows) {
            Values ahead[kAhead];
#pragma unroll
            for (int j = 0; j < kAhead; j++) {
                ahead[j] = next(row + j * step);
            }
            row += kAhead * step;
#pragma unroll 1
            for (; row + (kAhead - 1) * step < rows; row += kAhead * step) {
#pragma unroll
                for (int j = 0; j < kAhead; j++) {
                    add(ahead[j]);
                    ahead[j] = next(row + j * step);
                }
            }
#pragma unroll
            for (int j = 0; j < kAhead; j++) {
                add(ahead[j]);
            }
        }
#pragma unroll 1
        for (; row < rows; row += step) {
            add(next(row));
        }
    };
    if (own < columns) {
        if (whole) {
            walk(Constant<true>{});
        } else {
            walk(Constant<false>{});
        }
    }
    // neighbours apart, so that threads side by side write side by side
#pragma unroll
    for (int i = 0; i < Lanes; i++) {
        shared[group][i * kAlong + along] = sum[i];
    }
    block_barrier();
    const int place = static_cast<int>(threadIdx.x), column = place % kAlong * Lanes + place / kAlong;
    if (place < kColumns && first_column + column < columns) {
        Pair total = shared[0][place];
        for (int i = 1; i < kGroups; i++) {
            total.a += shared[i][place].a;
            total.b += shared[i][place].b;
        }
        double* out = partial + static_cast<long long>(blockIdx.y) * 2 * columns + first_column + column;
        out[0] = total.a;
        out[columns] = total.b;
    }
}

/// The column of a thread in column_totals; beyond the columns where it has none.
QUERN_DEVICE int own_total() { return static_cast<int>(blockIdx.x) * kColumns + static_cast<int>(threadIdx.x) % kColumns; }

/// The sums of columns over all chunks: blocks of 32 columns, in 8 threads each, so that few loads have to be waited for; then
/// finish(column, sums) in one thread per column.
template <class Finish>
QUERN_DEVICE void column_totals(const double* partial, int chunks, int columns, Finish finish) {
    constexpr int kGroups = kColumnThreads / kColumns;
    QUERN_SHARED(Pair, shared, [kGroups][kColumns]);
    const int own = static_cast<int>(threadIdx.x) % kColumns, group = static_cast<int>(threadIdx.x) / kColumns;
    const int column = own_total();
    Pair sum{0, 0};
    if (column < columns) {
#pragma unroll 8
        for (int i = group; i < chunks; i += kGroups) {
            const double* in = partial + static_cast<long long>(i) * 2 * columns + column;
            sum.a += in[0];
            sum.b += in[columns];
        }
    }
    shared[group][own] = sum;
    block_barrier();
    if (group == 0 && column < columns) {
        for (int i = 1; i < kGroups; i++) {
            sum.a += shared[i][own].a;
            sum.b += shared[i][own].b;
        }
        finish(column, sum);
    }
}

/// A block's share of the sum of term(a[i], b[i], ...) over all elements, to partial[blockIdx.x].
constexpr int kSumThreads = 256;
template <int Lanes, class Term, class... T>
QUERN_DEVICE void partial_sum(long long elements, double* partial, double* scratch, Term term, const T*... arrays) {
    double sum = 0;
    for_packs<Lanes>(
        elements, global_index(), global_size(), [&](long long, auto... values) { sum += term(values...); }, arrays...);
    sum = block_sum<kSumThreads>(sum, scratch);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

}  // namespace quern
