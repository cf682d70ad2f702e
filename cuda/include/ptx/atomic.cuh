// Atomic operations on global memory, and on page-locked memory of the host.
#pragma once

#include "../types.cuh"

namespace quern {

/// *p = min(*p, value), for all of the device and the host.
QUERN_DEVICE void atomic_min(u64* p, u64 value) {
#if QUERN_SIM
    u64 seen = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (value < seen && !__atomic_compare_exchange_n(p, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
#else
    asm volatile("red.relaxed.sys.global.min.u64 [%0], %1;" ::"l"(p), "l"(value) : "memory");
#endif
}

}  // namespace quern
