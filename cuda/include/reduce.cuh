// Sums and maxima over a warp and a block, always in the same order.
#pragma once

#include "ptx/barrier.cuh"
#include "ptx/warp.cuh"

namespace quern {

struct Sum {
    static constexpr float kIdentity = 0.0f;
    QUERN_DEVICE static float combine(float a, float b) { return a + b; }
};

/// The larger one; NaN if either is.
struct Max {
    static constexpr float kIdentity = -__builtin_huge_valf();
    QUERN_DEVICE static float combine(float a, float b) { return a != a || a > b ? a : b; }
};

/// Every lane gets the result.
template <class Op>
QUERN_DEVICE float warp_reduce(float value) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        float other = shuffle_xor(value, distance);
        // the lower lane's value first, so that all lanes combine in the same order
        value = (lane_id() & distance) == 0 ? Op::combine(value, other) : Op::combine(other, value);
    }
    return value;
}

/// Thread 0 gets the result; all threads of a block of Threads must call it.
template <class Op, int Threads>
QUERN_DEVICE float block_reduce(float value) {
    static_assert(Threads % 32 == 0 && Threads <= 1024);
    QUERN_SHARED(float, partial, [Threads / 32]);
    value = warp_reduce<Op>(value);
    int warp = static_cast<int>(threadIdx.x) / 32;
    block_barrier();  // the last use of partial is over
    if (lane_id() == 0) {
        partial[warp] = value;
    }
    block_barrier();
    if (warp == 0) {
        value = warp_reduce<Op>(lane_id() < Threads / 32 ? partial[lane_id()] : Op::kIdentity);
    }
    return value;
}

}  // namespace quern
