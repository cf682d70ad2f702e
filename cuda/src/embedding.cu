// Rows of a table by number, and the gradient of the table. An index outside the table is reported at the host's next wait
// (IndexFaults of the Java side); what it would have given is NaN.
// embedding_f32           2^log threads per index, each with 16 bytes at a time where the width allows it
// embedding_backward_f32  for a dtable of zeros; a block per index and 128 times 16 bytes of columns, block 128, grid (count,
//   ceil(width * bytes of one / 2048)). The block of an index that has not occurred before sums the rows of dy of all its
//   occurrences, in their order.
// embedding_bf16, embedding_backward_bf16: the same with bf16 tables; the sums are f32
#include "ptx/atomic.cuh"
#include "ptx/barrier.cuh"
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

inline constexpr int kThreads = 128;

/// A bit for each thread of the block, in words of 32.
QUERN_DEVICE void block_ballot(bool predicate, u32* words) {
    const u32 ballot = warp_ballot(predicate);
    if (lane_id() == 0) {
        words[threadIdx.x / 32] = ballot;
    }
    block_barrier();
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

template <class T>
QUERN_DEVICE void backward(const int* indices, const T* dy, T* dtable, u64* fault, int count, int rows, int width) {
    constexpr int kWords = kThreads / 32, lanes = kLanes<T>;
    QUERN_SHARED(u32, words, [kWords]);
    const int thread = static_cast<int>(threadIdx.x), position = static_cast<int>(blockIdx.x), row = indices[position];
    if (row < 0 || row >= rows) {
        if (thread == 0 && blockIdx.y == 0) {
            report(fault, position, row);
        }
        return;
    }
    bool before = false;
    for (int i = thread; i < position; i += kThreads) {
        before |= indices[i] == row;
    }
    block_ballot(before, words);
    u32 any = 0;
#pragma unroll
    for (int i = 0; i < kWords; i++) {
        any |= words[i];
    }
    if (any != 0) {
        return;
    }
    // a thread's columns: neighbours where rows begin at 16 bytes, else those of its own number in each run of kThreads
    const bool whole = width % lanes == 0 && aligned16(dy) && aligned16(dtable);
    const int column = static_cast<int>(blockIdx.y) * kThreads * lanes + (whole ? thread * lanes : thread);
    Vec<float, lanes> sums{};
    for (int first = position; first < count; first += kThreads) {
        block_barrier();  // the words of the last round are no longer read
        block_ballot(first + thread < count && indices[first + thread] == row, words);
        for (int i = 0; i < kWords; i++) {
            for (u32 bits = words[i]; bits != 0; bits &= bits - 1) {
                const int at = first + i * 32 + __ffs(static_cast<int>(bits)) - 1;
                const T* from = dy + static_cast<long long>(at) * width + column;
                if (whole && column < width) {
                    const Vec<float, lanes> values = load_floats<lanes>(from);
#pragma unroll
                    for (int j = 0; j < lanes; j++) {
                        sums[j] += values[j];
                    }
                } else {
#pragma unroll
                    for (int j = 0; j < lanes; j++) {
                        if (column + j * kThreads < width) {
                            sums[j] += to_float(from[j * kThreads]);
                        }
                    }
                }
            }
        }
    }
    T* to = dtable + static_cast<long long>(row) * width + column;
    if (whole && column < width) {
        store_floats(to, sums);
    } else {
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            if (column + j * kThreads < width) {
                to[j * kThreads] = from_float<T>(sums[j]);
            }
        }
    }
}

}  // namespace quern::embedding

QUERN_KERNEL_BY_DTYPE(256, embedding, (const T* table, const int* indices, T* y, u64* fault, long long count, int rows, int width,
                      int log), {
    embedding::forward(table, indices, y, fault, count, rows, width, log);
})

QUERN_KERNEL_BY_DTYPE(128, embedding_backward, (const int* indices, const T* dy, T* dtable, u64* fault, int count, int rows,
                      int width), {
    embedding::backward(indices, dy, dtable, fault, count, rows, width);
})
