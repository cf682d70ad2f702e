// Sum (kind 0), mean (1: a sum, with scale = 1 / count) or maximum (2), in an order that depends on the extents alone;
// y = scale * result, except for kind 2.
// reduce_rows_f32(const float* x, float* y, int kind, int64 rows, int64 columns, float scale)
//   y[row] over columns, a warp per row, several loads under way; block 256, grid up to ceil(rows / 8)
// reduce_long_rows_f32(const float* x, float* y, int kind, int64 columns, float scale)
//   y[row, split], block 256, grid (rows, splits), splits <= 65535; a second call reduces the splits
// reduce_columns_f32(const float* x, float* y, int kind, int64 outer, int64 reduced, int64 inner, float scale)
//   y[split, o, i] over the middle axis; block (32, 8), grid (ceil(inner / 32), min(outer, 65535), splits)
// _bf16: x and y in bf16; _bf16_f32: x alone; _f32_bf16: y alone. Splits are floats: reduce_long_rows_bf16 is from bf16 to f32.
#include "held_row.cuh"
#include "reduce.cuh"

namespace quern::reduce {

template <class Op, int Lanes, class From, class To>
QUERN_DEVICE void rows(const From* x, To* y, long long rows, long long columns, float scale) {
    long long first = static_cast<long long>(blockIdx.x) * 8 + threadIdx.x / 32;
    // in the same order either way
    const bool held = Lanes > 1 && columns <= 32 * kHeldElements && held_row(static_cast<int>(columns)) && aligned16(x);
    for (long long row = first; row < rows; row += static_cast<long long>(gridDim.x) * 8) {
        float value = Op::kIdentity;
        const auto add = [&](float v) { value = Op::combine(value, v); };
        if (held) {
            HeldRow<Lanes> elements;
            elements.load_aligned(x + row * columns, static_cast<int>(columns), Op::kIdentity);
            elements.each(add);
        } else {
            const long long lane = lane_id(), lanes = 32;
            for_packs<Lanes>(columns, lane, lanes, [&](long long, float v) { add(v); }, x + row * columns);
        }
        value = warp_reduce<Op>(value);
        if (lane_id() == 0) {
            y[row] = from_float<To>(value * scale);
        }
    }
}

/// Packs may begin anywhere but where there are several rows, of which only some begin at 16 bytes.
template <class Op, class From>
QUERN_DEVICE void long_rows(const From* x, float* y, long long columns, float scale) {
    constexpr int lanes = kLanes<From>;
    const long long part = ((columns + gridDim.y - 1) / gridDim.y + lanes - 1) / lanes * lanes;
    const long long begin = min_of(part * blockIdx.y, columns), count = min_of(part, columns - begin);
    const From* from = x + static_cast<long long>(blockIdx.x) * columns + begin;
    const long long thread = threadIdx.x, threads = 256;
    float value = Op::kIdentity;
    auto add = [&](long long, float v) { value = Op::combine(value, v); };
    if (gridDim.x == 1 || columns % lanes == 0) {
        for_packs<lanes>(count, thread, threads, add, from);
    } else {
        for_packs<1>(count, thread, threads, add, from);
    }
    value = block_reduce<Op, 256>(value);
    if (threadIdx.x == 0) {
        y[static_cast<long long>(blockIdx.x) * gridDim.y + blockIdx.y] = value * scale;
    }
}

/// A block has 32 columns and 256 / (32 / Lanes) rows at a time; those of a warp are combined in it.
template <class Op, int Lanes, class From, class To>
QUERN_DEVICE void columns(const From* x, To* y, long long outer, long long reduced, long long inner, float scale) {
    constexpr int kAlong = 32 / Lanes, kGroups = 256 / kAlong, kWarps = 256 / 32;
    constexpr int kAhead = 16 / sizeof(From);  // loads under way
    QUERN_SHARED(float, partial, [kWarps][33]);
    const int thread = static_cast<int>(threadIdx.y * 32 + threadIdx.x), own = thread % kAlong * Lanes, group = thread / kAlong;
    const long long part = (reduced + gridDim.z - 1) / gridDim.z, first = static_cast<long long>(blockIdx.x) * 32;
    const long long begin = min_of(part * blockIdx.z, reduced), end = min_of(begin + part, reduced);
    const bool whole = Lanes == 1 || aligned16(x);
    for (long long o = blockIdx.y; o < outer; o += gridDim.y) {
        Vec<float, Lanes> value;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            value[i] = Op::kIdentity;
        }
        if (first + own < inner) {
            const From* from = x + o * reduced * inner + first + own;
            long long r = begin + group;
            for (; r + (kAhead - 1) * kGroups < end; r += kAhead * kGroups) {
                Raw<From, Lanes> next[kAhead];
#pragma unroll
                for (int j = 0; j < kAhead; j++) {
                    next[j].load(from + (r + j * kGroups) * inner, whole);
                }
#pragma unroll
                for (int j = 0; j < kAhead; j++) {
#pragma unroll
                    for (int i = 0; i < Lanes; i++) {
                        value[i] = Op::combine(value[i], next[j][i]);
                    }
                }
            }
#pragma unroll 1
            for (; r < end; r += kGroups) {
                Raw<From, Lanes> next;
                next.load(from + r * inner, whole);
#pragma unroll
                for (int i = 0; i < Lanes; i++) {
                    value[i] = Op::combine(value[i], next[i]);
                }
            }
        }
#pragma unroll
        for (int distance = kAlong; distance < 32; distance *= 2) {
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                value[i] = Op::combine(value[i], shuffle_xor(value[i], distance));
            }
        }
        if (thread % 32 < kAlong) {
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                partial[thread / 32][own + i] = value[i];
            }
        }
        block_barrier();
        if (thread < 32 && first + thread < inner) {
            float total = partial[0][thread];
#pragma unroll
            for (int i = 1; i < kWarps; i++) {
                total = Op::combine(total, partial[i][thread]);
            }
            y[(blockIdx.z * outer + o) * inner + first + thread] = from_float<To>(total * scale);
        }
        block_barrier();
    }
}

template <class Op, class From, class To>
QUERN_DEVICE void rows_of(const From* x, To* y, long long count, long long columns, float scale) {
    if (packed_rows<From>(columns)) {
        rows<Op, kLanes<From>>(x, y, count, columns, scale);
    } else {
        rows<Op, 1>(x, y, count, columns, scale);
    }
}

template <class Op, class From, class To>
QUERN_DEVICE void columns_of(const From* x, To* y, long long outer, long long reduced, long long inner, float scale) {
    if (inner % kLanes<From> == 0) {
        columns<Op, kLanes<From>>(x, y, outer, reduced, inner, scale);
    } else {
        columns<Op, 1>(x, y, outer, reduced, inner, scale);
    }
}

}  // namespace quern::reduce

#define QUERN_REDUCE(form, From, To)                                                                                        \
    QUERN_KERNEL(256, reduce_rows_##form, const From* x, To* y, int kind, long long rows, long long columns, float scale) { \
        if (kind == 2) {                                                                                                    \
            quern::reduce::rows_of<quern::Max>(x, y, rows, columns, 1.0f);                                                  \
        } else {                                                                                                            \
            quern::reduce::rows_of<quern::Sum>(x, y, rows, columns, scale);                                                 \
        }                                                                                                                   \
    }                                                                                                                       \
    QUERN_KERNEL(256, reduce_columns_##form, const From* x, To* y, int kind, long long outer, long long reduced,            \
                 long long inner, float scale) {                                                                            \
        if (kind == 2) {                                                                                                    \
            quern::reduce::columns_of<quern::Max>(x, y, outer, reduced, inner, 1.0f);                                       \
        } else {                                                                                                            \
            quern::reduce::columns_of<quern::Sum>(x, y, outer, reduced, inner, scale);                                      \
        }                                                                                                                   \
    }

QUERN_REDUCE(f32, float, float)
QUERN_REDUCE(bf16, quern::bf16, quern::bf16)
QUERN_REDUCE(bf16_f32, quern::bf16, float)
QUERN_REDUCE(f32_bf16, float, quern::bf16)

QUERN_KERNEL_BY_DTYPE(256, reduce_long_rows, (const T* x, float* y, int kind, long long columns, float scale), {
    if (kind == 2) {
        reduce::long_rows<Max>(x, y, columns, 1.0f);
    } else {
        reduce::long_rows<Sum>(x, y, columns, scale);
    }
})
