// Numbers.
#pragma once

#include "../device.cuh"

namespace quern {

/// 1.0f / x for x from 2^-100 to 2^100: what a division does for such numbers, without the call for the others, which costs
/// registers.
QUERN_DEVICE float reciprocal(float x) {
#if QUERN_SIM
    return 1.0f / x;
#else
    float inverse;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(x));
    return fmaf(inverse, fmaf(-x, inverse, 1.0f), inverse);
#endif
}

/// The same number, of which the compiler no longer knows what it was computed from.
QUERN_DEVICE void opaque([[maybe_unused]] float& x) {
#if !QUERN_SIM
    asm volatile("" : "+f"(x));
#endif
}

}  // namespace quern
