// Atomic operations on global memory, and on page-locked memory of the host.
#pragma once

#include "../types.cuh"

namespace quern {

#if QUERN_SIM
#define QUERN_ATOMIC(name, type, letter, instruction, simulated) \
    QUERN_DEVICE type name(type* p, type value) { return simulated; }

QUERN_DEVICE u64 fetch_min(u64* p, u64 value) {
    u64 seen = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (value < seen && !__atomic_compare_exchange_n(p, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return seen;
}
#else
#define QUERN_ATOMIC(name, type, letter, instruction, simulated)                                                        \
    QUERN_DEVICE type name(type* p, type value) {                                                                       \
        type old;                                                                                                       \
        asm volatile("atom.relaxed." instruction " %0, [%1], %2;" : "=" letter(old) : "l"(p), letter(value) : "memory"); \
        return old;                                                                                                     \
    }
#endif

// What *p was before is the result. For all of the device:
/// *p = value.
QUERN_ATOMIC(atomic_exchange, u32, "r", "gpu.global.exch.b32", __atomic_exchange_n(p, value, __ATOMIC_RELAXED))
/// *p += value.
QUERN_ATOMIC(atomic_add, u32, "r", "gpu.global.add.u32", __atomic_fetch_add(p, value, __ATOMIC_RELAXED))
// For all of the device and the host:
/// *p = min(*p, value).
QUERN_ATOMIC(atomic_min, u64, "l", "sys.global.min.u64", fetch_min(p, value))

#undef QUERN_ATOMIC

}  // namespace quern
