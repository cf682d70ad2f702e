// Rows of a table by number, and the gradient of the table. An index outside the table is reported at the host's next wait
// (IndexFaults of the Java side); what it would have given is NaN.
// embedding_f32           2^log threads per index, each with 16 bytes at a time where the width allows it
// The gradient: each row of dtable is the sum of the rows of dy of its index's occurrences, in the order of positions.
// embedding_lists_f32     a thread per position puts it in front of the list of its index. heads[rows], zeros before, and
//   next[count] hold positions + 1, and 0 ends a list; a list is in the order in which its threads came.
// embedding_backward_f32  a warp per row of dtable puts at most 32 positions in order and sums, zeros for an empty list;
//   rows of more occurrences are appended to frequent[1...], and counted in frequent[0], zero before
// embedding_frequent_f32  blocks take rows in frequent in turn, each 128 times 16 bytes of columns, block 128, grid (at most 512 and
//   count / 33, ceil(width * bytes of one / 2048)): searches all indices, 512 at a time
// embedding_bf16, embedding_backward_bf16, embedding_frequent_bf16: the same with bf16 tables; the sums are f32
#include "ptx/atomic.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"
#include "ptx/warp.cuh"

namespace quern::embedding {

/// The least position is kept, whatever the order of the threads.
QUERN_DEVICE void report(u64* fault, long long position, int index) {
    const u64 place = static_cast<u64>(min_of(position, 0xfffffffeLL));
    atomic_min(fault, place << 32 | static_cast<u32>(index));
}

template <int Lanes, class T>
QUERN_DEVICE void copy(const T* from, T* to, bool known, int width, int lane, int lanes) {
    for (int c = lane * Lanes; c < width; c += lanes * Lanes) {
        Vec<T, Lanes> value;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            value[i] = from_float<T>(__uint_as_float(0x7fc00000u));
        }
        store_vec(to + c, known ? load_vec<T, Lanes>(from + c) : value);
    }
}

template <class T>
QUERN_DEVICE void forward(const T* table, const int* indices, T* y, u64* fault, long long count, int rows, int width, int log) {
    const long long position = global_index() >> log;
    if (position >= count) {
        return;
    }
    const int lane = static_cast<int>(threadIdx.x) & ((1 << log) - 1), row = indices[position];
    const bool known = row >= 0 && row < rows;
    if (!known && lane == 0) {
        report(fault, position, row);
    }
    const T* from = table + static_cast<long long>(row) * width;
    T* to = y + position * width;
    if (width % kLanes<T> == 0 && aligned16(table) && aligned16(y)) {
        copy<kLanes<T>>(from, to, known, width, lane, 1 << log);
    } else {
        copy<1>(from, to, known, width, lane, 1 << log);
    }
}

inline constexpr int kThreads = 128;
/// Occurrences that a warp puts in order.
inline constexpr int kListed = 32;
/// Sums of a thread of a warp.
inline constexpr int kSums = 24;

QUERN_DEVICE void link(const int* indices, u32* heads, u32* next, u64* fault, int count, int rows) {
    const long long position = global_index();
    if (position >= count) {
        return;
    }
    const int row = indices[position];
    if (row < 0 || row >= rows) {
        report(fault, position, row);
        return;
    }
    next[position] = atomic_exchange(heads + row, static_cast<u32>(position) + 1);
}

/// Adds n rows of dy, one after the other: Packs times Lanes neighbours, Stride columns apart. The loads of Ahead rows come
/// before their sums, and without conditions: what lies outside the row is its beginning once more, whose sums are not stored.
template <int Ahead, int Stride, int Lanes, int Packs, class T>
QUERN_DEVICE void add_rows(Vec<float, Lanes> (&sums)[Packs], const int* positions, int n, const T* dy, int width, int column) {
#pragma unroll Ahead
    for (int i = 0; i < n; i++) {
        const T* from = dy + static_cast<long long>(positions[i]) * width;
        Vec<T, Lanes> values[Packs];
#pragma unroll
        for (int p = 0; p < Packs; p++) {
            values[p] = load_vec<T, Lanes>(from + (column + p * Stride < width ? column + p * Stride : 0));
        }
#pragma unroll
        for (int p = 0; p < Packs; p++) {
#pragma unroll
            for (int j = 0; j < Lanes; j++) {
                sums[p][j] += to_float(values[p][j]);
            }
        }
    }
}

template <int Stride, int Lanes, int Packs, class T>
QUERN_DEVICE void store_sums(T* to, const Vec<float, Lanes> (&sums)[Packs], int width, int column) {
#pragma unroll
    for (int p = 0; p < Packs; p++) {
        if (column + p * Stride < width) {
            store_floats(to + column + p * Stride, sums[p]);
        }
    }
}

template <int Lanes, class T>
QUERN_DEVICE void sum_row(const int* positions, int n, const T* dy, T* to, int width, int lane) {
    constexpr int kPacks = kSums / kLanes<T>, kStride = 32 * Lanes;
    for (int column = lane * Lanes; column < width; column += kPacks * kStride) {
        Vec<float, Lanes> sums[kPacks] = {};
        add_rows<1, kStride>(sums, positions, n, dy, width, column);
        store_sums<kStride>(to, sums, width, column);
    }
}

/// True where rows begin at 16 bytes.
template <class T>
QUERN_DEVICE bool whole_rows(const T* dy, const T* dtable, int width) {
    return width % kLanes<T> == 0 && aligned16(dy) && aligned16(dtable);
}

template <class T>
QUERN_DEVICE void backward(const u32* heads, const u32* next, u32* frequent, const T* dy, T* dtable, int rows, int width) {
    QUERN_SHARED(int, lists, [kThreads / 32][kListed]);
    int* positions = lists[threadIdx.x / 32];
    const long long row = global_index() / 32;
    if (row >= rows) {
        return;
    }
    const int lane = lane_id();
    int n = 0, mine = 0;
    for (u32 at = heads[row]; at != 0 && n <= kListed; at = next[at - 1]) {
        mine = n == lane ? static_cast<int>(at - 1) : mine;
        n++;
    }
    if (n > kListed) {
        if (lane == 0) {
            frequent[1 + atomic_add(frequent, 1)] = static_cast<u32>(row);
        }
        return;
    }
    int before = 0;
    for (int i = 0; i < n; i++) {
        before += shuffle_from(mine, i) < mine;
    }
    if (lane < n) {
        positions[before] = mine;
    }
    warp_barrier();
    T* to = dtable + row * width;
    if (whole_rows(dy, dtable, width)) {
        sum_row<kLanes<T>>(positions, n, dy, to, width, lane);
    } else {
        sum_row<1>(positions, n, dy, to, width, lane);
    }
}

/// Writes the positions of a row from first on, of at most Each per thread, in order; how many. All threads of the block.
/// Words are no longer read behind its second barrier, nor the positions of the last call behind its first.
template <int Each>
QUERN_DEVICE int find(const int* indices, int count, int row, int first, u32* words, int* positions) {
    constexpr int kWords = Each * kThreads / 32;
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32;
    bool same[Each];
#pragma unroll
    for (int k = 0; k < Each; k++) {
        const int i = k * kThreads + thread;
        same[k] = i < count - first && indices[first + i] == row;
    }
#pragma unroll
    for (int k = 0; k < Each; k++) {
        const u32 ballot = warp_ballot(same[k]);
        if (lane == 0) {
            words[k * (kThreads / 32) + thread / 32] = ballot;
        }
    }
    u32 own[kThreads / 32];  // in words of this warp its own bit: conditions kept over the loops would be more than there are
#pragma unroll
    for (int w = 0; w < kThreads / 32; w++) {
        own[w] = w == thread / 32 ? 1u << lane : 0;
    }
    block_barrier();
    int n = 0;
#pragma unroll
    for (int w = 0; w < kWords; w++) {
        const u32 bits = words[w];
        if ((bits & own[w % (kThreads / 32)]) != 0) {
            positions[n + __popc(bits & ((1u << lane) - 1))] = first + w * 32 + lane;
        }
        n += __popc(bits);
    }
    block_barrier();
    return n;
}

template <int Lanes, class T>
QUERN_DEVICE void sum_frequent(const int* indices, const T* dy, T* to, int count, int row, int width, int column) {
    constexpr int kEach = 4;
    QUERN_SHARED(u32, words, [kEach * kThreads / 32]);
    QUERN_SHARED(int, positions, [kEach * kThreads]);
    Vec<float, Lanes> sums[kLanes<T> / Lanes] = {};
    for (long long first = 0; first < count; first += kEach * kThreads) {
        const int n = find<kEach>(indices, count, row, static_cast<int>(first), words, positions);
        add_rows<8, kThreads * Lanes>(sums, positions, n, dy, width, column);
    }
    store_sums<kThreads * Lanes>(to, sums, width, column);
}

template <int Lanes, class T>
QUERN_DEVICE void backward_frequent(const u32* frequent, const int* indices, const T* dy, T* dtable, int count, int width) {
    const int column = (static_cast<int>(blockIdx.y) * kThreads * kLanes<T>) + static_cast<int>(threadIdx.x) * Lanes;
    const u32 rows = frequent[0];
    for (u32 i = blockIdx.x; i < rows; i += gridDim.x) {
        const int row = static_cast<int>(frequent[1 + i]);
        sum_frequent<Lanes>(indices, dy, dtable + static_cast<long long>(row) * width, count, row, width, column);
    }
}

}  // namespace quern::embedding

QUERN_KERNEL_BY_DTYPE(256, embedding, (const T* table, const int* indices, T* y, u64* fault, long long count, int rows, int width,
                      int log), {
    overlap_launches();
    embedding::forward(table, indices, y, fault, count, rows, width, log);
})

QUERN_KERNEL(256, embedding_lists_f32, const int* indices, quern::u32* heads, quern::u32* next, quern::u64* fault, int count,
             int rows) {
    quern::overlap_launches();
    quern::embedding::link(indices, heads, next, fault, count, rows);
}

QUERN_KERNEL_BY_DTYPE(128, embedding_backward, (const u32* heads, const u32* next, u32* frequent, const T* dy, T* dtable, int rows,
                      int width), {
    overlap_launches();
    embedding::backward(heads, next, frequent, dy, dtable, rows, width);
})

QUERN_KERNEL_BLOCKS_BY_DTYPE(128, 4, embedding_frequent, (const u32* frequent, const int* indices, const T* dy, T* dtable, int count,
                      int width), {
    overlap_launches();
    if (embedding::whole_rows(dy, dtable, width)) {
        embedding::backward_frequent<kLanes<T>>(frequent, indices, dy, dtable, count, width);
    } else {
        embedding::backward_frequent<1>(frequent, indices, dy, dtable, count, width);
    }
})
