// 16-bit floats and aligned vectors, without the toolkit's headers.
#pragma once

#include "device.cuh"

namespace quern {

using u16 = unsigned short;
using u32 = unsigned;
using u64 = unsigned long long;

/// Upper half of a binary32, rounded to nearest even; NaN stays NaN.
struct bf16 {
    u16 bits;
};

/// IEEE binary16.
struct f16 {
    u16 bits;
};

QUERN_DEVICE float to_float(float x) { return x; }

QUERN_DEVICE float to_float(bf16 x) { return __uint_as_float(static_cast<u32>(x.bits) << 16); }

template <class T>
QUERN_DEVICE T from_float(float x);

template <>
QUERN_DEVICE float from_float<float>(float x) {
    return x;
}

template <>
QUERN_DEVICE bf16 from_float<bf16>(float x) {
    u32 bits = __float_as_uint(x);
    // NaN: the payload's upper half, made quiet
    u32 rounded = x != x ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return {static_cast<u16>(rounded)};
}

/// N neighbouring elements, read and written at once.
template <class T, int N>
struct alignas(sizeof(T) * N) Vec {
    T v[N];
    QUERN_DEVICE T& operator[](int i) { return v[i]; }
    QUERN_DEVICE const T& operator[](int i) const { return v[i]; }
};

/// Elements of 16 bytes.
template <class T>
inline constexpr int kLanes = 16 / sizeof(T);

template <class T>
using Pack = Vec<T, kLanes<T>>;

QUERN_DEVICE bool aligned16(const void* p) { return (reinterpret_cast<u64>(p) & 15) == 0; }

QUERN_DEVICE void check_alignment([[maybe_unused]] const void* p, [[maybe_unused]] unsigned bytes,
                                  [[maybe_unused]] const char* what) {
#if QUERN_SIM
    if (reinterpret_cast<uintptr_t>(p) % bytes != 0) {
        sim::runtime->misuse(716, "%s of %u bytes at %p, which is not aligned to them", what, bytes, p);
    }
#endif
}

template <class T, int N>
QUERN_DEVICE Vec<T, N> load_vec(const T* p) {
    check_alignment(p, sizeof(T) * N, "vector load");
    return *reinterpret_cast<const Vec<T, N>*>(p);
}

template <class T, int N>
QUERN_DEVICE void store_vec(T* p, const Vec<T, N>& x) {
    check_alignment(p, sizeof(T) * N, "vector store");
    *reinterpret_cast<Vec<T, N>*>(p) = x;
}

template <class T>
QUERN_DEVICE Pack<T> load_pack(const T* p) {
    return load_vec<T, kLanes<T>>(p);
}

template <class T>
QUERN_DEVICE void store_pack(T* p, const Pack<T>& x) {
    store_vec<T, kLanes<T>>(p, x);
}

}  // namespace quern
