// Division by numbers that are known before a launch: Divider of the Java side makes the constants.
#pragma once

#include "types.cuh"

namespace quern {

/// n / d for 0 <= n < 2^31 as a multiplication: multiplier = ceil(2^(31 + shift) / d), shift = ceil(log2 d). The rounding of
/// the multiplier adds less than n / 2^31 / d to the quotient, so the floor is that of n / d. Granlund and Montgomery,
/// "Division by invariant integers using multiplication", PLDI 1994.
struct Divider {
    u32 multiplier;
    int shift;

    QUERN_DEVICE int quotient(int n) const {
        return static_cast<int>(__umulhi(static_cast<u32>(n) << 1, multiplier) >> shift);
    }
};

}  // namespace quern
