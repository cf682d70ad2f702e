// The exponential function and the logistic one, as exact as what they are stored in.
#pragma once

#include "types.cuh"

namespace quern {

/// exp x for results stored as T. For bf16 to about (4 + |x|) 2^-23, where 2^-9 is to be rounded, and 0 below 2^-126.
template <class T>
QUERN_DEVICE float exponential(float x) {
    if constexpr (kIsBf16<T>) {
        return exp2_approx(1.4426950408889634f * x);
    } else {
        return expf(x);
    }
}

/// 1 / (1 + exp(-x)), in the same way.
template <class T>
QUERN_DEVICE float logistic(float x) {
    if constexpr (kIsBf16<T>) {
        return reciprocal_approx(1.0f + exponential<T>(-x));
    } else {
        return 1.0f / (1.0f + expf(-x));
    }
}

}  // namespace quern
