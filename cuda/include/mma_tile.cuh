// A tile of a matrix product on tensor cores, a warp at a time (mma.sync): bf16 operands, or f32 ones rounded to tf32; sums in
// f32. Where operands come from is up to their loaders: what matrix products and the implicit forms of convolution share.
//
// A block of 4 warps or more makes BM x BN sums. Operands come 64 bytes of k at a time into a ring of Stages slots of shared
// memory, whose 16-byte chunks are swizzled so that neither copies nor reads of fragments meet in a bank. At the end sums
// go through shared memory, so that a lane has 8 neighbours: 16 bytes of bf16, and one draw of a generator.
#pragma once

#include "ptx/barrier.cuh"
#include "ptx/matrix.cuh"
#include "mixed.cuh"

namespace quern {

inline constexpr int kMmaThreads = 128;

/// Slots that hide the latency of copies with two blocks or more on a multiprocessor.
inline constexpr int kMmaStages = 3;

/// Terms that a slot has.
template <class T>
inline constexpr int kMmaDepth = 64 / sizeof(T);

/// A Depth x Width tile of an operand in shared memory. Along: lines run along k, otherwise along rows (columns, for b).
template <class T, int Width, bool Along, int Threads = kMmaThreads>
struct OperandTile {
    using Element = T;
    static constexpr int kThreads = Threads;
    /// Elements wait in registers on their way.
    static constexpr bool kHolds = false;
    static constexpr int kDepth = kMmaDepth<T>;
    static constexpr int kPerChunk = 16 / sizeof(T);
    static constexpr int kLines = Along ? Width : kDepth;
    static constexpr int kChunks = (Along ? kDepth : Width) / kPerChunk;
    static constexpr int kBytes = Width * 64;
    /// The block's threads copy so many lines at once; a thread's chunk and swizzle are the same in all of them.
    static constexpr int kLineStep = Threads / kChunks;
    static constexpr int kCount = kLines / kLineStep;
    static_assert(kLineStep % (Along || sizeof(T) == 2 ? 8 : 4) == 0 && kLines % kLineStep == 0);

    /// The thread's first line; the next ones are kLineStep on.
    QUERN_DEVICE static int own_line() { return static_cast<int>(threadIdx.x) / kChunks; }
    /// First element of the thread's chunk within its lines.
    QUERN_DEVICE static int own_element() { return static_cast<int>(threadIdx.x) % kChunks * kPerChunk; }
    QUERN_DEVICE static unsigned own_place() { return place(own_line(), static_cast<int>(threadIdx.x) % kChunks); }

    /// Chunks of a line are permuted: 8 neighbouring lines, or the 4 that are read at once, have one in different banks.
    QUERN_DEVICE static unsigned place(int line, int chunk) {
        int mixed = Along ? (kChunks == 4 ? line >> 1 & 3 : line & 7) : (sizeof(T) == 2 ? line & 7 : (line & 3) * 2);
        return static_cast<unsigned>((line * kChunks + (chunk ^ mixed)) * 16);
    }

    /// Four registers of 16 x (2 chunks of k), as lhs of a product, or 8 x (2 chunks) of rhs twice.
    template <bool Lhs>
    QUERN_DEVICE static void fragment(u32 (&d)[4], const char* tile, int x, int k) {
        int lane = lane_id();
        // which of the two halves in x, and in k, the lane's matrix (or register 1, 2) has
        int low = lane / 8 & 1, high = lane / 16, in_x = Lhs ? low : high, in_k = Lhs ? high : low;
        if constexpr (Along) {
            ldmatrix_x4(d, tile + place(x + lane % 8 + in_x * 8, k / kPerChunk + in_k));
        } else if constexpr (sizeof(T) == 2) {
            ldmatrix_x4_transposed(d, tile + place(k + lane % 8 + in_k * 8, x / kPerChunk + in_x));
        } else {
            // ldmatrix transposes 16-bit elements only
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int column = x + lane / 4 + (Lhs ? i & 1 : i >> 1) * 8, line = k + lane % 4 + (Lhs ? i >> 1 : i & 1) * 4;
                d[i] = *reinterpret_cast<const u32*>(tile + place(line, column / 4) + column % 4 * 4);
            }
        }
        if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                d[i] = to_tf32(__uint_as_float(d[i]));
            }
        }
    }
};

/// An operand that is a matrix in memory. Whole: its address, pitch and extent along a line are multiples of 16 bytes.
template <class T, int Width, bool Along, bool Whole = false, int Threads = kMmaThreads>
struct MatrixOperand : OperandTile<T, Width, Along, Threads> {
    using Base = OperandTile<T, Width, Along, Threads>;
    using Base::kPerChunk;

    const T* next;
    long long pitch;
    int k, x, last_k, last_x;
    bool aligned;
    unsigned offset;

    /// The first tile, from (first_k, first_x) on; pitch: elements from a line of memory to the next.
    QUERN_DEVICE MatrixOperand(const T* source, long long pitch, int first_k, int last_k, int first_x, int last_x)
        : pitch(pitch),
          k(first_k + (Along ? Base::own_element() : Base::own_line())),
          x(first_x + (Along ? Base::own_line() : Base::own_element())),
          last_k(last_k),
          last_x(last_x),
          aligned(Whole || (aligned16(source) && pitch % kPerChunk == 0)),
          offset(Base::own_place()) {
        next = source + (Along ? x * pitch + k : k * pitch + x);
    }

    /// Copies the tile and goes on to the one behind it.
    QUERN_DEVICE void load(char* tile) {
#pragma unroll
        for (int line = 0; line < Base::kLines; line += Base::kLineStep) {
            int valid = Along ? (x + line < last_x ? last_k - k : 0) : (k + line < last_k ? last_x - x : 0);
            copy_chunk(tile + offset + line * Base::kChunks * 16, next + line * pitch, valid);
        }
        k += Base::kDepth;
        next += Along ? Base::kDepth : Base::kDepth * pitch;
    }

private:
    /// The first valid of the elements of a chunk, zeros behind them.
    QUERN_DEVICE void copy_chunk(char* to, const T* from, int valid) const {
        if (Whole || aligned) {
            copy_async<16>(to, from, valid > 0);
        } else if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int j = 0; j < kPerChunk; j++) {
                copy_async<4>(to + j * 4, from + j, j < valid);
            }
        } else {
            Pack<T> pack{};
#pragma unroll
            for (int j = 0; j < kPerChunk; j++) {
                if (j < valid) {
                    pack[j] = from[j];
                }
            }
            store_pack(reinterpret_cast<T*>(to), pack);
        }
    }
};

/// WarpsAcross of the block's warps lie side by side.
template <class A, class B, int BM, int BN, int Stages, int WarpsAcross = 2>
struct MmaTile {
    static constexpr int kWarps = A::kThreads / 32;
    static constexpr int WM = BM * WarpsAcross / kWarps, WN = BN / WarpsAcross, M = WM / 16, N = WN / 8, Depth = A::kDepth;
    /// Fragments of the next step are read while this one's are multiplied, where there are registers for it: not with f32 ones,
    /// whose places are counted one by one, nor where operands wait in registers.
    static constexpr bool kAhead = sizeof(typename A::Element) == 2 && !A::kHolds && !B::kHolds;
    static constexpr int kSlot = A::kBytes + B::kBytes, kBytes = Stages * kSlot, Pitch = WN + 8;
    static_assert(A::kThreads == B::kThreads && kWarps * 16 * Pitch * 4 <= kBytes && N % 2 == 0);

    float sums[M][N][4];

    /// The warp's first row and column within the tile.
    QUERN_DEVICE static int warp_row() { return static_cast<int>(threadIdx.x) / 32 / WarpsAcross * WM; }
    QUERN_DEVICE static int warp_column() { return static_cast<int>(threadIdx.x) / 32 % WarpsAcross * WN; }

    /// Sums over so many tiles. source.load(a, b) copies the next ones to shared memory, asynchronously or to registers, from
    /// which source.settle(a, b) takes them there. memory: kBytes, free when it returns.
    template <class Source>
    QUERN_DEVICE void multiply(char* memory, Source& source, int steps) {
#pragma unroll
        for (int i = 0; i < M; i++) {
#pragma unroll
            for (int j = 0; j < N; j++) {
#pragma unroll
                for (int r = 0; r < 4; r++) {
                    sums[i][j][r] = 0;
                }
            }
        }
        auto load = [&](int step, int slot) {
            if (step < steps) {
                source.load(memory + slot * kSlot, memory + slot * kSlot + A::kBytes);
            }
            copy_commit();
        };
        auto settle = [&](int step, int slot) {
            if (step < steps) {
                source.settle(memory + slot * kSlot, memory + slot * kSlot + A::kBytes);
            }
        };
#pragma unroll
        for (int s = 0; s < Stages - 1; s++) {
            load(s, s);
            settle(s, s);
        }
        Fragments first, second;
        auto arrive = [] {
            copy_wait<Stages - 2>();
            block_barrier();  // the next tiles are there, and nobody reads the last ones
        };
        if constexpr (kAhead) {
            arrive();
            if (steps > 0) {
                first.fetch(memory, 0);
            }
        }
        int now = 0, free = Stages - 1;
        for (int step = 0; step < steps; step++) {
            const char* slot = memory + now * kSlot;
            if constexpr (!kAhead) {
                arrive();
            }
            load(step + Stages - 1, free);
            if constexpr (!kAhead) {
                first.fetch(slot, 0);
            }
            second.fetch(slot, 1);
            multiply(first);
            if constexpr (kAhead) {
                arrive();
                if (step + 1 < steps) {
                    first.fetch(now + 1 == Stages ? memory : slot + kSlot, 0);
                }
            }
            multiply(second);
            settle(step + Stages - 1, free);
            now = now + 1 == Stages ? 0 : now + 1;
            free = free + 1 == Stages ? 0 : free + 1;
        }
        copy_wait<0>();
        block_barrier();
    }

    /// Calls body(row, column, run of 8) for the block's sums, 16 rows of a warp at a time, through one copy of its code.
    template <class Body>
    QUERN_DEVICE void each(char* memory, Body body) {
        int lane = lane_id();
        float* strip = reinterpret_cast<float*>(memory) + static_cast<int>(threadIdx.x) / 32 * 16 * Pitch;
#pragma unroll 1
        for (int i = 0; i < M; i++) {
#pragma unroll
            for (int r = 0; r < M; r++) {
                if (r == i) {
#pragma unroll
                    for (int j = 0; j < N; j++) {
                        float* to = strip + lane / 4 * Pitch + j * 8 + lane % 4 * 2;
                        store_vec(to, Vec<float, 2>{{sums[r][j][0], sums[r][j][1]}});
                        store_vec(to + 8 * Pitch, Vec<float, 2>{{sums[r][j][2], sums[r][j][3]}});
                    }
                }
            }
            warp_barrier();
#pragma unroll 1
            for (int piece = lane; piece < 16 * WN / 8; piece += 32) {
                int row = piece / (WN / 8), column = piece % (WN / 8) * 8;
                Vec<float, 8> run = load_floats<8>(strip + row * Pitch + column);
                body(warp_row() + i * 16 + row, warp_column() + column, run);
            }
            warp_barrier();
        }
    }

private:
    /// The warp's operands of half a step.
    struct Fragments {
        u32 x[M][4], y[N / 2][4];

        QUERN_DEVICE void fetch(const char* slot, int half) {
            int k = half * (Depth / 2);
#pragma unroll
            for (int i = 0; i < M; i++) {
                A::template fragment<true>(x[i], slot, warp_row() + i * 16, k);
            }
#pragma unroll
            for (int j = 0; j < N / 2; j++) {
                B::template fragment<false>(y[j], slot + A::kBytes, warp_column() + j * 16, k);
            }
        }
    };

    QUERN_DEVICE void multiply(const Fragments& of) {
#pragma unroll
        for (int i = 0; i < M; i++) {
#pragma unroll
            for (int j = 0; j < N; j++) {
                u32 pair[2] = {of.y[j / 2][j % 2 * 2], of.y[j / 2][j % 2 * 2 + 1]};
                if constexpr (sizeof(typename A::Element) == 2) {
                    mma_m16n8k16_bf16(sums[i][j], of.x[i], pair);
                } else {
                    mma_m16n8k8_tf32(sums[i][j], of.x[i], pair);
                }
            }
        }
    }
};

}  // namespace quern
