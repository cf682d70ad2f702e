// A 64 x 64 tile of a matrix product whose operands are functions of (row, k) and (k, column): what the implicit forms of
// convolution share. 256 threads, each with 4 x 4 results.
#pragma once

#include "ptx/barrier.cuh"

namespace quern {

constexpr int kTile = 64;
constexpr int kTileK = 16;
constexpr int kTileThreads = 256;

struct TileMemory {
    float a[kTileK][kTile + 4];
    float b[kTileK][kTile + 4];
};

/// Sums over first <= k < end of a(row, k) b(k, column), for rows and columns from the given ones. Threads next to each
/// other load neighbours in k where along_k is set, else neighbours in row or column.
template <bool a_along_k, bool b_along_k, class A, class B>
QUERN_DEVICE void tile_product(TileMemory& memory, long long row, long long rows, long long column, long long columns,
                               long long first, long long end, A a, B b, float (&sums)[4][4]) {
    const int thread = static_cast<int>(threadIdx.x);
    const int my_row = thread / 16 * 4;
    const int my_column = thread % 16 * 4;
    for (long long k0 = first; k0 < end; k0 += kTileK) {
        for (int j = thread; j < kTile * kTileK; j += kTileThreads) {
            const int ka = a_along_k ? j % kTileK : j / kTile;
            const int i = a_along_k ? j / kTileK : j % kTile;
            memory.a[ka][i] = row + i < rows && k0 + ka < end ? a(row + i, k0 + ka) : 0.0f;
            const int kb = b_along_k ? j % kTileK : j / kTile;
            const int l = b_along_k ? j / kTileK : j % kTile;
            memory.b[kb][l] = column + l < columns && k0 + kb < end ? b(k0 + kb, column + l) : 0.0f;
        }
        block_barrier();
        for (int kk = 0; kk < kTileK; kk++) {
            float left[4];
            float right[4];
            for (int i = 0; i < 4; i++) {
                left[i] = memory.a[kk][my_row + i];
                right[i] = memory.b[kk][my_column + i];
            }
            for (int i = 0; i < 4; i++) {
                for (int l = 0; l < 4; l++) {
                    sums[i][l] += left[i] * right[l];
                }
            }
        }
        block_barrier();
    }
}

/// Calls store(row, column, sum) for the thread's results.
template <class Store>
QUERN_DEVICE void tile_store(long long row, long long rows, long long column, long long columns,
                             const float (&sums)[4][4], Store store) {
    const int thread = static_cast<int>(threadIdx.x);
    for (int i = 0; i < 4; i++) {
        for (int l = 0; l < 4; l++) {
            const long long to_row = row + thread / 16 * 4 + i;
            const long long to_column = column + thread % 16 * 4 + l;
            if (to_row < rows && to_column < columns) {
                store(to_row, to_column, sums[i][l]);
            }
        }
    }
}

}  // namespace quern
