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

/// *p = value, for all of the device; what it was.
QUERN_DEVICE u32 atomic_exchange(u32* p, u32 value) {
#if QUERN_SIM
    return __atomic_exchange_n(p, value, __ATOMIC_RELAXED);
#else
    u32 old;
    asm volatile("atom.relaxed.gpu.global.exch.b32 %0, [%1], %2;" : "=r"(old) : "l"(p), "r"(value) : "memory");
    return old;
#endif
}

/// *p += value, for all of the device; what it was.
QUERN_DEVICE u32 atomic_add(u32* p, u32 value) {
#if QUERN_SIM
    return __atomic_fetch_add(p, value, __ATOMIC_RELAXED);
#else
    u32 old;
    asm volatile("atom.relaxed.gpu.global.add.u32 %0, [%1], %2;" : "=r"(old) : "l"(p), "r"(value) : "memory");
    return old;
#endif
}

}  // namespace quern
