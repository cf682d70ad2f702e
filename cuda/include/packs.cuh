// Walks along arrays, 16 bytes per thread and step. Which element a thread has, and when, is a function of the extents; an
// array at any other address is read one element at a time in the same order, so that sums have the same bits.
#pragma once

#include "types.cuh"

namespace quern {

/// Neighbours as they are in memory, which takes the fewest registers; floats are made of them where they are used, and not where
/// the load would have to be waited for.
template <class T, int Lanes>
struct Raw {
    static constexpr int kBytes = Lanes * sizeof(T), kWords = kBytes < 4 ? 1 : kBytes / 4;
    u32 words[kWords];

    /// If not whole, one by one.
    QUERN_DEVICE void load(const T* p, bool whole = true) {
        if (kBytes < 4 || !whole) {
            u32 of[Lanes];
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                of[i] = bits_of(p[i]);
            }
#pragma unroll
            for (int i = 0; i < kWords; i++) {
                words[i] = sizeof(T) == 4 || Lanes == 1 ? of[i] : of[2 * i % Lanes] | of[(2 * i + 1) % Lanes] << 16;
            }
        } else {
            check_alignment(p, kBytes, "vector load");
            __builtin_memcpy(words, __builtin_assume_aligned(p, kBytes), kBytes);
        }
    }
    /// To an address that is a multiple of their bytes.
    QUERN_DEVICE void store(T* p) const {
        static_assert(kBytes >= 4);
        check_alignment(p, kBytes, "vector store");
        __builtin_memcpy(__builtin_assume_aligned(static_cast<void*>(p), kBytes), words, kBytes);  // without the cast cicc fails
    }
    QUERN_DEVICE void fill(u32 word) {
#pragma unroll
        for (int i = 0; i < kWords; i++) {
            words[i] = word;
        }
    }
    QUERN_DEVICE float operator[](int lane) const {
        if constexpr (sizeof(T) == 4) {
            return __uint_as_float(words[lane]);
        } else {
            return __uint_as_float(lane % 2 == 0 ? words[lane / 2] << 16 : words[lane / 2] & 0xffff0000u);
        }
    }

private:
    QUERN_DEVICE static u32 bits_of(float x) { return __float_as_uint(x); }
    QUERN_DEVICE static u32 bits_of(bf16 x) { return x.bits; }
};

/// True if the rows of a matrix are to be walked in packs of T: where all rows begin at one, and half a warp has some.
template <class T>
QUERN_DEVICE bool packed_rows(long long columns) {
    return columns % kLanes<T> == 0 && columns >= 16 * kLanes<T>;
}

/// body(i, a[i], b[i], ...) for this thread's share of n elements: packs of Lanes, and then single ones of the rest.
template <int Lanes, class Index, class Body, class... T>
QUERN_DEVICE void for_packs(Index n, Index thread, Index threads, Body body, const T*... arrays) {
    const bool whole = Lanes == 1 || (aligned16(arrays) && ...);
    const Index packs = n / Lanes;
    for (Index p = thread; p < packs; p += threads) {
        const Index at = p * Lanes;
        [&](const auto&... values) {
#pragma unroll
            for (int j = 0; j < Lanes; j++) {
                body(at + j, values[j]...);
            }
        }(load_floats<Lanes>(arrays + at, whole)...);
    }
    for (Index i = packs * Lanes + thread; i < n; i += threads) {
        body(i, to_float(arrays[i])...);
    }
}

/// y[i] = f(i, a[i], b[i], ...) in the same way; y may be one of the arrays.
template <int Lanes, class Index, class To, class F, class... T>
QUERN_DEVICE void map_packs(To* y, Index n, Index thread, Index threads, F f, const T*... arrays) {
    const bool whole = Lanes == 1 || (aligned16(y) && ... && aligned16(arrays));
    const Index packs = n / Lanes;
    for (Index p = thread; p < packs; p += threads) {
        const Index at = p * Lanes;
        [&](const auto&... values) {
            Vec<float, Lanes> out;
#pragma unroll
            for (int j = 0; j < Lanes; j++) {
                out[j] = f(at + j, values[j]...);
            }
            store_floats(y + at, out, whole);
        }(load_floats<Lanes>(arrays + at, whole)...);
    }
    for (Index i = packs * Lanes + thread; i < n; i += threads) {
        y[i] = from_float<To>(f(i, to_float(arrays[i])...));
    }
}

}  // namespace quern
