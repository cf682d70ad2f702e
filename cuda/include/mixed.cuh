// Tensors whose type, f32 or bf16 if narrow, is known at run time only.
#pragma once

#include "types.cuh"

namespace quern {

/// N neighbours from element i on: as load_floats, if the tensor begins at 16 bytes; whole is of i.
template <int N>
QUERN_DEVICE Vec<float, N> load_mixed(const void* p, bool narrow, long long i, bool whole, int valid) {
    whole = whole && aligned16(p);
    return narrow ? load_floats<N>(static_cast<const bf16*>(p) + i, whole, valid)
                  : load_floats<N>(static_cast<const float*>(p) + i, whole, valid);
}

/// The opposite of load_mixed.
template <int N>
QUERN_DEVICE void store_mixed(void* p, bool narrow, long long i, const Vec<float, N>& x, bool whole, int valid) {
    whole = whole && aligned16(p);
    if (narrow) {
        store_floats(static_cast<bf16*>(p) + i, x, whole, valid);
    } else {
        store_floats(static_cast<float*>(p) + i, x, whole, valid);
    }
}

}  // namespace quern
