// Runs of neighbours, in registers as f32, in memory as f32 or bf16.
#pragma once

#include "types.cuh"

namespace quern {

template <int N>
struct Run {
    float x[N];
    QUERN_DEVICE float& operator[](int i) { return x[i]; }
};

/// N neighbours as f32, zeros from valid on; whole: all of them, at an address aligned to their size or 16 bytes.
template <class T, int N>
QUERN_DEVICE Run<N> load_run(const T* p, int valid, bool whole) {
    constexpr int lanes = N < kLanes<T> ? N : kLanes<T>;
    Run<N> run;
    if (whole) {
#pragma unroll
        for (int i = 0; i < N; i += lanes) {
            Vec<T, lanes> v = load_vec<T, lanes>(p + i);
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                run[i + j] = to_float(v[j]);
            }
        }
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) {
            run[i] = i < valid ? to_float(p[i]) : 0.0f;
        }
    }
    return run;
}

template <class T, int N>
QUERN_DEVICE void store_run(T* p, Run<N>& run, int valid, bool whole) {
    constexpr int lanes = N < kLanes<T> ? N : kLanes<T>;
    if (whole) {
#pragma unroll
        for (int i = 0; i < N; i += lanes) {
            Vec<T, lanes> v;
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                v[j] = from_float<T>(run[i + j]);
            }
            store_vec<T, lanes>(p + i, v);
        }
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) {
            if (i < valid) {
                p[i] = from_float<T>(run[i]);
            }
        }
    }
}

/// Element i of a tensor whose type is known at run time only.
template <int N>
QUERN_DEVICE Run<N> load_any(const void* p, bool narrow, long long i, int valid, bool whole) {
    whole = whole && aligned16(p);
    return narrow ? load_run<bf16, N>(static_cast<const bf16*>(p) + i, valid, whole)
                  : load_run<float, N>(static_cast<const float*>(p) + i, valid, whole);
}

template <int N>
QUERN_DEVICE void store_any(void* p, bool narrow, long long i, Run<N>& run, int valid, bool whole) {
    whole = whole && aligned16(p);
    if (narrow) {
        store_run<bf16, N>(static_cast<bf16*>(p) + i, run, valid, whole);
    } else {
        store_run<float, N>(static_cast<float*>(p) + i, run, valid, whole);
    }
}

}  // namespace quern
