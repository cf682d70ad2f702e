// Loops over elements: 16 bytes per thread and step where all addresses allow it, one element otherwise.
#pragma once

#include "types.cuh"

namespace quern {

/// Calls body(i) for the elements i of this thread.
template <class Body>
QUERN_DEVICE void for_each(long long n, Body body) {
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
        Pack<T> a = load_pack(x + p * lanes), out;
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            out[j] = from_float<T>(f(to_float(a[j])));
        }
        store_pack(y + p * lanes, out);
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
        Pack<T> left = load_pack(a + p * lanes), right = load_pack(b + p * lanes), out;
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            out[j] = from_float<T>(f(to_float(left[j]), to_float(right[j])));
        }
        store_pack(y + p * lanes, out);
    });
    for_each(n - packs * lanes, [&](long long i) {
        i += packs * lanes;
        y[i] = from_float<T>(f(to_float(a[i]), to_float(b[i])));
    });
}

}  // namespace quern
