// 16-bit floats, aligned vectors, and kernels in a form per storage type, without the toolkit's headers.
#pragma once

#include "ptx/math.cuh"

namespace quern {

/// A value as a type, for what has to be known when compiled.
template <auto Value>
struct Constant {
    static constexpr auto value = Value;
};

using u16 = unsigned short;
using u32 = unsigned;
using u64 = unsigned long long;

/// Upper half of a binary32, rounded to nearest even; NaN stays NaN, but not which one.
struct bf16 {
    u16 bits;
};

/// IEEE binary16.
struct f16 {
    u16 bits;
};

template <class T>
inline constexpr bool kIsBf16 = false;
template <>
inline constexpr bool kIsBf16<bf16> = true;

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
    return {static_cast<u16>(round_to_bf16(x, 0.0f))};
}

/// What is exact enough beside the storage: for f32 double, in which a large intermediate value is no infinity yet; for bf16 f32, since
/// 8 elements of a thread in double would want too many registers.
template <class T>
struct Wide {
    using Type = float;
};
template <>
struct Wide<float> {
    using Type = double;
};

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

/// out[i] = x[i].
template <class T, int N>
QUERN_DEVICE void to_floats(const Vec<T, N>& x, float* out) {
    if constexpr (kIsBf16<T> && N % 2 == 0) {
        // by words: of halves, the compiler takes each upper one out of its word and then puts it back
        const auto words = __builtin_bit_cast(Vec<u32, N / 2>, x);
#pragma unroll
        for (int i = 0; i < N; i += 2) {
            out[i] = __uint_as_float(words[i / 2] << 16);
            out[i + 1] = __uint_as_float(words[i / 2] & 0xffff0000u);
        }
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) {
            out[i] = to_float(x[i]);
        }
    }
}

/// N elements, each rounded once.
template <class T, int N>
QUERN_DEVICE Vec<T, N> from_floats(const float* x) {
    if constexpr (kIsBf16<T> && N % 2 == 0) {
        Vec<u32, N / 2> words;
#pragma unroll
        for (int i = 0; i < N; i += 2) {
            words[i / 2] = round_to_bf16(x[i], x[i + 1]);
        }
        return __builtin_bit_cast(Vec<T, N>, words);
    } else {
        Vec<T, N> out;
#pragma unroll
        for (int i = 0; i < N; i++) {
            out[i] = from_float<T>(x[i]);
        }
        return out;
    }
}

/// N neighbours as floats, in accesses of at most 16 bytes; if not whole, one by one, and zeros from valid on.
template <int N, class T>
QUERN_DEVICE Vec<float, N> load_floats(const T* p, bool whole = true, int valid = N) {
    constexpr int piece = N < kLanes<T> ? N : kLanes<T>;
    Vec<float, N> out;
#pragma unroll
    for (int i = 0; i < N; i += piece) {
        Vec<T, piece> in{};
        if (whole) {
            in = load_vec<T, piece>(p + i);
        } else {
#pragma unroll
            for (int j = 0; j < piece; j++) {
                if (i + j < valid) {
                    in[j] = p[i + j];
                }
            }
        }
        to_floats(in, &out[i]);
    }
    return out;
}

/// The opposite of load_floats; each element is rounded once.
template <class T, int N>
QUERN_DEVICE void store_floats(T* p, const Vec<float, N>& x, bool whole = true, int valid = N) {
    constexpr int piece = N < kLanes<T> ? N : kLanes<T>;
#pragma unroll
    for (int i = 0; i < N; i += piece) {
        const Vec<T, piece> out = from_floats<T, piece>(&x[i]);
        if (whole) {
            store_vec(p + i, out);
        } else {
#pragma unroll
            for (int j = 0; j < piece; j++) {
                if (i + j < valid) {
                    p[i + j] = out[j];
                }
            }
        }
    }
}

}  // namespace quern

/// A kernel in its forms for storage in F32 and BF16, stem_f32 and stem_bf16, where T is float and bf16:
/// QUERN_KERNEL_BY_DTYPE(most threads of a block, stem, (const T* x, T* y), { body })
#define QUERN_KERNEL_BY_DTYPE(threads, stem, parameters, ...)                                                          \
    QUERN_KERNEL_FORM(stem##_f32, float, QUERN_KERNEL(threads, stem##_f32, QUERN_UNWRAP parameters) __VA_ARGS__)        \
    QUERN_KERNEL_FORM(stem##_bf16, bf16, QUERN_KERNEL(threads, stem##_bf16, QUERN_UNWRAP parameters) __VA_ARGS__)

/// The same, with registers few enough for so many blocks on a multiprocessor.
#define QUERN_KERNEL_BLOCKS_BY_DTYPE(threads, blocks, stem, parameters, ...)                                            \
    QUERN_KERNEL_FORM(stem##_f32, float, QUERN_KERNEL_BLOCKS(threads, blocks, stem##_f32, QUERN_UNWRAP parameters) __VA_ARGS__)        \
    QUERN_KERNEL_FORM(stem##_bf16, bf16, QUERN_KERNEL_BLOCKS(threads, blocks, stem##_bf16, QUERN_UNWRAP parameters) __VA_ARGS__)

#define QUERN_UNWRAP(...) __VA_ARGS__
#define QUERN_KERNEL_FORM(name, type, ...)  \
    namespace quern::forms::name##_form {   \
    using T = type;                         \
    __VA_ARGS__                             \
    }
