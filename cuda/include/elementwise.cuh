// Loops over elements: 16 bytes per thread and step where all addresses allow it, one element otherwise.
#pragma once

#include "types.cuh"

namespace quern {

/// Calls body(i) for the elements i of this thread: few, mostly one.
template <class Body>
QUERN_DEVICE void for_each(long long n, Body body) {
#pragma unroll 1
    for (long long i = global_index(); i < n; i += global_size()) {
        body(i);
    }
}

/// y[i] = f(x[i]).
template <class T, class F>
QUERN_DEVICE void map1(const T* x, T* y, long long n, F f) {
    constexpr int lanes = kLanes<T>;
    long long packs = aligned16(x) && aligned16(y) ? n / lanes : 0;
    for_each(packs, [&](long long p) {
        Vec<float, lanes> values = load_floats<lanes>(x + p * lanes);
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            values[j] = f(values[j]);
        }
        store_floats(y + p * lanes, values);
    });
    for_each(n - packs * lanes, [&](long long i) {
        i += packs * lanes;
        y[i] = from_float<T>(f(to_float(x[i])));
    });
}

/// y[i] = f(a[i], b[i]).
template <class T, class F>
QUERN_DEVICE void map2(const T* a, const T* b, T* y, long long n, F f) {
    constexpr int lanes = kLanes<T>;
    long long packs = aligned16(a) && aligned16(b) && aligned16(y) ? n / lanes : 0;
    for_each(packs, [&](long long p) {
        Vec<float, lanes> left = load_floats<lanes>(a + p * lanes), right = load_floats<lanes>(b + p * lanes);
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            left[j] = f(left[j], right[j]);
        }
        store_floats(y + p * lanes, left);
    });
    for_each(n - packs * lanes, [&](long long i) {
        i += packs * lanes;
        y[i] = from_float<T>(f(to_float(a[i]), to_float(b[i])));
    });
}

}  // namespace quern
