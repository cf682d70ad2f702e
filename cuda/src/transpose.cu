// Permutations of axes; elements of 2, 4 or 8 bytes.
// transpose_{16,32,64}(const T* x, T* y, int rows, int columns)   y[b, c, r] = x[b, r, c]; block (32, 8),
//   grid (ceil(columns / 32), ceil(rows / 32), batch), grid.y and grid.z <= 65535
// permute_{16,32,64}(const T* x, T* y, Axes axes, int64 n)        any strides of x; elementwise grid
//   Axes (136 bytes, by value): int rank, (4 bytes of padding), int64 sizes[8] of y, int64 strides[8] of x along y's axes
#include "elementwise.cuh"
#include "ptx/barrier.cuh"

namespace quern::transpose {

struct Axes {
    int rank;
    long long sizes[8], strides[8];
};
static_assert(sizeof(Axes) == 136);

template <class T>
QUERN_DEVICE void swap(const T* x, T* y, int rows, int columns) {
    QUERN_SHARED(T, tile, [32][33]);
    long long item = static_cast<long long>(blockIdx.z) * rows * columns;
    int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
    int row0 = static_cast<int>(blockIdx.y) * 32, column0 = static_cast<int>(blockIdx.x) * 32;
#pragma unroll
    for (int i = ty; i < 32; i += 8) {
        if (row0 + i < rows && column0 + tx < columns) {
            tile[i][tx] = x[item + static_cast<long long>(row0 + i) * columns + column0 + tx];
        }
    }
    block_barrier();
#pragma unroll
    for (int i = ty; i < 32; i += 8) {
        if (column0 + i < columns && row0 + tx < rows) {
            y[item + static_cast<long long>(column0 + i) * rows + row0 + tx] = tile[tx][i];
        }
    }
}

template <class T>
QUERN_DEVICE void permute(const T* x, T* y, const Axes& axes, long long n) {
    for_each(n, [&](long long i) {
        long long rest = i, at = 0;
#pragma unroll
        for (int axis = 7; axis >= 0; axis--) {
            if (axis < axes.rank) {
                at += rest % axes.sizes[axis] * axes.strides[axis];
                rest /= axes.sizes[axis];
            }
        }
        y[i] = x[at];
    });
}

}  // namespace quern::transpose

#define QUERN_TRANSPOSE(bits, T)                                                              \
    QUERN_KERNEL(256, transpose_##bits, const T* x, T* y, int rows, int columns) {            \
        quern::transpose::swap(x, y, rows, columns);                                          \
    }                                                                                         \
    QUERN_KERNEL(256, permute_##bits, const T* x, T* y, quern::transpose::Axes axes, long long n) { \
        quern::transpose::permute(x, y, axes, n);                                             \
    }

QUERN_TRANSPOSE(16, quern::u16)
QUERN_TRANSPOSE(32, quern::u32)
QUERN_TRANSPOSE(64, quern::u64)
