// Permutations of axes, y[i0, i1, ...] = x[i0 s0 + i1 s1 + ...], of elements of 2, 4 or 8 bytes, or of 16 that stay together.
// transpose_{16,32,64}(const T* x, T* y, Planes planes)              x's axis of stride 1 and y's last one, in tiles of 16 KB;
//   block 256, a block per tile
// permute_{16,32,64,128}(const T* x, T* y, Axes axes, int64 n)       any strides of x; elementwise grid
#include "division.cuh"
#include "elementwise.cuh"
#include "ptx/barrier.cuh"

namespace quern::transpose {

/// Sizes of y's axes and strides of x along them; by: the sizes, unless n needs more than 31 bits.
struct Axes {
    int rank;
    long long sizes[8], strides[8];
    Divider by[8];
};
static_assert(sizeof(Axes) == 200);

/// 16 bytes that stay together.
using Quad = Vec<u32, 4>;

template <bool Many, class T>
QUERN_DEVICE void permute(const T* x, T* y, const Axes& axes, long long n) {
    for_each(n, [&](long long i) {
        long long rest = i, at = 0;
#pragma unroll
        for (int axis = 7; axis > 0; axis--) {
            if (axis < axes.rank) {
                const long long size = axes.sizes[axis];
                const long long quotient = Many ? rest / size : axes.by[axis].quotient(static_cast<int>(rest));
                at += (rest - quotient * size) * axes.strides[axis];
                rest = quotient;
            }
        }
        y[i] = x[at + rest * axes.strides[0]];
    });
}

/// Matrices whose rows are neighbours in x, and whose columns are in y: strides from one row, and one column, to the next; tiles
/// of 2^log_rows rows, so many across a matrix and down it; the axes of which there is a matrix at every place.
struct Planes {
    long long row_stride, column_stride;
    int rows, columns, across, down;
    Divider by_across, by_down;
    /// packed: 1: rows are at 16 bytes; 2: columns are.
    int log_rows, packed, rank;
    long long sizes[6], x_strides[6], y_strides[6];
    Divider by[6];
};
static_assert(sizeof(Planes) == 256);

inline constexpr int kThreads = 256, kTileBytes = 16384;

/// body(turn, line, place) for this thread's share of a tile: every Step-th of 2^log places of a line.
template <int Count, int Step, class Body>
QUERN_DEVICE void each(int log, int lines, int places, Body body) {
#pragma unroll
    for (int turn = 0; turn < Count / Step / kThreads; turn++) {
        const int at = (turn * kThreads + static_cast<int>(threadIdx.x)) * Step;
        const int line = at >> log, place = at & ((1 << log) - 1);
        if (line < lines && place < places) {
            body(turn, line, place);
        }
    }
}

template <class T>
QUERN_DEVICE void swap(const T* x, T* y, const Planes& planes) {
    constexpr int kLog = sizeof(T) == 2 ? 13 : sizeof(T) == 4 ? 12 : 11, kTile = 1 << kLog, lanes = kLanes<T>;
    static_assert(kTile * sizeof(T) == kTileBytes);
    // a word between rows, so that those of a column are in several banks; rows have four elements or more
    constexpr int kPad = sizeof(T) == 2 ? 2 : 1;
    QUERN_SHARED(T, tile, [kTile + kTile / 4 * kPad]);
    const int log_columns = kLog - planes.log_rows, pitch = (1 << log_columns) + kPad;

    const int block = static_cast<int>(blockIdx.x);
    const int band = planes.by_across.quotient(block);
    int item = planes.by_down.quotient(band);
    const int column0 = (block - band * planes.across) << log_columns;
    const int row0 = (band - item * planes.down) << planes.log_rows;
    x += row0 * planes.row_stride + column0;
    y += column0 * planes.column_stride + row0;
#pragma unroll
    for (int axis = 5; axis >= 0; axis--) {
        if (axis < planes.rank) {
            const int quotient = planes.by[axis].quotient(item);
            const long long index = item - quotient * planes.sizes[axis];
            x += index * planes.x_strides[axis];
            y += index * planes.y_strides[axis];
            item = quotient;
        }
    }
    const int rows = planes.rows - row0, columns = planes.columns - column0;

    if ((planes.packed & 1) != 0) {
        Pack<T> packs[kTile / lanes / kThreads] = {};
        each<kTile, lanes>(log_columns, rows, columns, [&](int turn, int row, int column) {
            packs[turn] = load_pack(x + row * planes.row_stride + column);
        });
        each<kTile, lanes>(log_columns, rows, columns, [&](int turn, int row, int column) {
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                tile[row * pitch + column + j] = packs[turn][j];
            }
        });
    } else {
        each<kTile, 1>(log_columns, rows, columns, [&](int, int row, int column) {
            tile[row * pitch + column] = x[row * planes.row_stride + column];
        });
    }
    block_barrier();
    if ((planes.packed & 2) != 0) {
        each<kTile, lanes>(planes.log_rows, columns, rows, [&](int, int column, int row) {
            Pack<T> pack;
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                pack[j] = tile[(row + j) * pitch + column];
            }
            store_pack(y + column * planes.column_stride + row, pack);
        });
    } else {
        each<kTile, 1>(planes.log_rows, columns, rows, [&](int, int column, int row) {
            y[column * planes.column_stride + row] = tile[row * pitch + column];
        });
    }
}

}  // namespace quern::transpose

#define QUERN_PERMUTE(bits, T)                                                                              \
    QUERN_KERNEL(256, permute_##bits, const T* x, T* y, quern::transpose::Axes axes, long long n) {         \
        if (n > 0x7fffffff) {                                                                               \
            quern::transpose::permute<true>(x, y, axes, n);                                                 \
        } else {                                                                                            \
            quern::transpose::permute<false>(x, y, axes, n);                                                \
        }                                                                                                   \
    }

#define QUERN_TRANSPOSE(bits, T)                                                                            \
    QUERN_KERNEL(256, transpose_##bits, const T* x, T* y, quern::transpose::Planes planes) {                \
        quern::transpose::swap(x, y, planes);                                                               \
    }

QUERN_TRANSPOSE(16, quern::u16)
QUERN_TRANSPOSE(32, quern::u32)
QUERN_TRANSPOSE(64, quern::u64)
QUERN_PERMUTE(16, quern::u16)
QUERN_PERMUTE(32, quern::u32)
QUERN_PERMUTE(64, quern::u64)
QUERN_PERMUTE(128, quern::transpose::Quad)
