// Sum (kind 0), mean (1: a sum, with scale = 1 / count) or maximum (2), in a fixed order; y = scale * result, except for kind 2.
// reduce_rows_f32(const float* x, float* y, int kind, int64 rows, int64 columns, float scale)
//   y[row] over columns, a warp per row; block 256, grid up to ceil(rows / 8)
// reduce_long_rows_f32(const float* x, float* y, int kind, int64 columns, float scale)
//   y[row, split], block 256, grid (rows, splits), splits <= 65535; a second call reduces the splits
// reduce_columns_f32(const float* x, float* y, int kind, int64 outer, int64 reduced, int64 inner, float scale)
//   y[split, o, i] over the middle axis; block (32, 8), grid (ceil(inner / 32), min(outer, 65535), splits)
#include "reduce.cuh"

namespace quern::reduce {

template <class Op>
QUERN_DEVICE void rows(const float* x, float* y, long long rows, long long columns, float scale) {
    long long first = static_cast<long long>(blockIdx.x) * 8 + threadIdx.x / 32;
    for (long long row = first; row < rows; row += static_cast<long long>(gridDim.x) * 8) {
        float value = Op::kIdentity;
        for (long long c = lane_id(); c < columns; c += 32) {
            value = Op::combine(value, x[row * columns + c]);
        }
        value = warp_reduce<Op>(value);
        if (lane_id() == 0) {
            y[row] = value * scale;
        }
    }
}

template <class Op>
QUERN_DEVICE void long_rows(const float* x, float* y, long long columns, float scale) {
    long long part = ((columns + gridDim.y - 1) / gridDim.y + 3) / 4 * 4;
    long long begin = min_of(part * blockIdx.y, columns), end = min_of(begin + part, columns);
    const float* row = x + static_cast<long long>(blockIdx.x) * columns;
    float value = Op::kIdentity;
    if (aligned16(row)) {
        long long packs = (end - begin) / 4;
        for (long long p = threadIdx.x; p < packs; p += 256) {
            Vec<float, 4> v = load_vec<float, 4>(row + begin + p * 4);
            value = Op::combine(value, Op::combine(Op::combine(v[0], v[1]), Op::combine(v[2], v[3])));
        }
        begin += packs * 4;
    }
    for (long long c = begin + threadIdx.x; c < end; c += 256) {
        value = Op::combine(value, row[c]);
    }
    value = block_reduce<Op, 256>(value);
    if (threadIdx.x == 0) {
        y[static_cast<long long>(blockIdx.x) * gridDim.y + blockIdx.y] = value * scale;
    }
}

template <class Op>
QUERN_DEVICE void columns(const float* x, float* y, long long outer, long long reduced, long long inner, float scale) {
    QUERN_SHARED(float, partial, [8][33]);
    long long part = (reduced + gridDim.z - 1) / gridDim.z;
    long long begin = min_of(part * blockIdx.z, reduced), end = min_of(begin + part, reduced);
    long long column = static_cast<long long>(blockIdx.x) * 32 + threadIdx.x;
    for (long long o = blockIdx.y; o < outer; o += gridDim.y) {
        float value = Op::kIdentity;
        if (column < inner) {
            for (long long r = begin + threadIdx.y; r < end; r += 8) {
                value = Op::combine(value, x[(o * reduced + r) * inner + column]);
            }
        }
        partial[threadIdx.y][threadIdx.x] = value;
        block_barrier();
        if (threadIdx.y == 0 && column < inner) {
#pragma unroll
            for (int i = 1; i < 8; i++) {
                value = Op::combine(value, partial[i][threadIdx.x]);
            }
            y[(blockIdx.z * outer + o) * inner + column] = value * scale;
        }
        block_barrier();
    }
}

}  // namespace quern::reduce

QUERN_KERNEL(256, reduce_rows_f32, const float* x, float* y, int kind, long long rows, long long columns, float scale) {
    if (kind == 2) {
        quern::reduce::rows<quern::Max>(x, y, rows, columns, 1.0f);
    } else {
        quern::reduce::rows<quern::Sum>(x, y, rows, columns, scale);
    }
}

QUERN_KERNEL(256, reduce_long_rows_f32, const float* x, float* y, int kind, long long columns, float scale) {
    if (kind == 2) {
        quern::reduce::long_rows<quern::Max>(x, y, columns, 1.0f);
    } else {
        quern::reduce::long_rows<quern::Sum>(x, y, columns, scale);
    }
}

QUERN_KERNEL(256, reduce_columns_f32, const float* x, float* y, int kind, long long outer, long long reduced, long long inner,
             float scale) {
    if (kind == 2) {
        quern::reduce::columns<quern::Max>(x, y, outer, reduced, inner, 1.0f);
    } else {
        quern::reduce::columns<quern::Sum>(x, y, outer, reduced, inner, scale);
    }
}
