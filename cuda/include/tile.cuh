// A tile of an f32 matrix product on CUDA cores whose operands come from loaders: what the implicit forms of convolution
// share. A block of 256 threads makes Rows x Columns sums, Depth terms at a time: asynchronous copies fill two of three tiles
// in shared memory, while the third one is multiplied. A warp has 8 x 4 lanes of SumRows x SumColumns sums, in chunks of
// 4 x 4, so that its reads of shared memory are 16 bytes wide and without bank conflicts.
#pragma once

#include "ptx/barrier.cuh"
#include "ptx/copy.cuh"

namespace quern {

inline constexpr int kTileThreads = 256;

template <int Rows, int Columns, int SumRows, int SumColumns, int Depth>
struct Tile {
    static constexpr int kRows = Rows, kColumns = Columns, kDepth = Depth;
    static constexpr int kPitchA = Rows + 4, kPitchB = Columns + 4;
    static constexpr int kStages = 3;
    static constexpr int kWarps = Columns / (4 * SumColumns);  // side by side
    static_assert(Rows / (8 * SumRows) * kWarps == kTileThreads / 32);

    float sums[SumRows][SumColumns];

    /// The thread's first row of sums within the tile; the next chunks of four are 32 rows on.
    QUERN_DEVICE static int first_row() {
        const int thread = static_cast<int>(threadIdx.x);
        return thread / 32 / kWarps * (8 * SumRows) + thread % 32 / 4 * 4;
    }

    /// The same of columns; the next chunks are 16 on.
    QUERN_DEVICE static int first_column() {
        const int thread = static_cast<int>(threadIdx.x);
        return thread / 32 % kWarps * (4 * SumColumns) + thread % 4 * 4;
    }

    /// Sums over source.left terms. source.load(a, b) copies the next Depth of them to tiles [Depth][kPitchA] and
    /// [Depth][kPitchB], asynchronously, zeros behind the last.
    template <class Source>
    QUERN_DEVICE void multiply(Source& source) {
        QUERN_SHARED(float, tile_a, [kStages][Depth * kPitchA]);
        QUERN_SHARED(float, tile_b, [kStages][Depth * kPitchB]);
#pragma unroll
        for (int i = 0; i < SumRows; i++) {
#pragma unroll
            for (int j = 0; j < SumColumns; j++) {
                sums[i][j] = 0;
            }
        }
#pragma unroll
        for (int stage = 0; stage < kStages - 1; stage++) {
            if (source.left > 0) {
                source.load(tile_a[stage], tile_b[stage]);
            }
            copy_commit();
            source.left -= Depth;
        }
        // left counts what is not copied yet: below zero, while the last copies are multiplied
        for (int now = 0; source.left > -(kStages - 1) * Depth; source.left -= Depth) {
            copy_wait<kStages - 2>();
            block_barrier();  // this step's tiles are complete, those of the last step are no longer read
            if (source.left > 0) {
                const int last = now == 0 ? kStages - 1 : now - 1;
                source.load(tile_a[last], tile_b[last]);
            }
            copy_commit();
            const float* a = tile_a[now] + first_row();
            const float* b = tile_b[now] + first_column();
#pragma unroll
            for (int k = 0; k < Depth; k++) {
                outer_product(a + k * kPitchA, b + k * kPitchB);
            }
            now = now + 1 == kStages ? 0 : now + 1;
        }
    }

    /// Calls body(row, column, four sums) for the thread's sums, with places within the tile.
    template <class Body>
    QUERN_DEVICE void each(Body body) const {
#pragma unroll
        for (int i = 0; i < SumRows; i++) {
#pragma unroll
            for (int j = 0; j < SumColumns; j += 4) {
                body(place_of_row(i), place_of_column(j), Vec<float, 4>{sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]});
            }
        }
    }

    /// Calls body(row, column of the first of four) for the same places, without the sums: a loop that is not unrolled.
    template <class Body>
    QUERN_DEVICE static void each_place(Body body) {
#pragma unroll 1
        for (int i = 0; i < SumRows; i++) {
#pragma unroll 1
            for (int j = 0; j < SumColumns; j += 4) {
                body(place_of_row(i), place_of_column(j));
            }
        }
    }

private:
    QUERN_DEVICE static int place_of_row(int i) { return first_row() + i / 4 * 32 + i % 4; }
    QUERN_DEVICE static int place_of_column(int j) { return first_column() + j / 4 * 16; }

    QUERN_DEVICE void outer_product(const float* a, const float* b) {
        float x[SumRows], y[SumColumns];
#pragma unroll
        for (int i = 0; i < SumRows; i += 4) {
            const Vec<float, 4> v = load_vec<float, 4>(a + i * 8);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                x[i + j] = v[j];
            }
        }
#pragma unroll
        for (int i = 0; i < SumColumns; i += 4) {
            const Vec<float, 4> v = load_vec<float, 4>(b + i * 4);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                y[i + j] = v[j];
            }
        }
#pragma unroll
        for (int i = 0; i < SumRows; i++) {
#pragma unroll
            for (int j = 0; j < SumColumns; j++) {
                sums[i][j] = fmaf(x[i], y[j], sums[i][j]);
            }
        }
    }
};

/// Loads Depth lines of a matrix in memory, Width columns of each. Vector: the columns, their pitch and the address are
/// multiples of four.
template <int Depth, int Width, bool Vector>
struct LineLoader {
    static constexpr int kCount = Depth * Width / 4 / kTileThreads;
    static constexpr int kLines = kTileThreads / (Width / 4);

    const float* at;
    int pitch, valid;

    /// A matrix with pitch elements from one line to the next, from a line and a column on.
    QUERN_DEVICE LineLoader(const float* matrix, int pitch, int first, int column, int columns)
        : at(matrix + static_cast<long long>(first + own_line()) * pitch + column + own_column()),
          pitch(pitch),
          valid(columns - (column + own_column())) {}

    /// The next lines, of which so many are left.
    QUERN_DEVICE void load(float* tile, int left) {
#pragma unroll
        for (int i = 0; i < kCount; i++) {
            const float* from = at + static_cast<long long>(i * kLines) * pitch;
            float* to = tile + (own_line() + i * kLines) * (Width + 4) + own_column();
            const bool there = own_line() + i * kLines < left && valid > 0;
            if constexpr (Vector) {
                copy_async<16>(to, from, there);
            } else {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    copy_async<4>(to + j, from + j, there && j < valid);
                }
            }
        }
        at += static_cast<long long>(Depth) * pitch;
    }

private:
    QUERN_DEVICE static int own_line() { return static_cast<int>(threadIdx.x) / (Width / 4); }
    QUERN_DEVICE static int own_column() { return static_cast<int>(threadIdx.x) % (Width / 4) * 4; }
};

}  // namespace quern
