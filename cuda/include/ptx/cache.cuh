// Hints to the caches.
#pragma once

#include "../types.cuh"

namespace quern {

/// Brings the line of 128 bytes that holds p to the L2, if p is in its first Bytes: of the threads that have Bytes of a line each,
/// one does. p must be in an allocation.
template <int Bytes>
QUERN_DEVICE void prefetch_line(const void* p) {
    if (reinterpret_cast<u64>(p) % 128 < Bytes) {
#if QUERN_SIM
        (void)*static_cast<const volatile char*>(p);  // the simulator tells where there is nothing
#else
        asm volatile("prefetch.global.L2 [%0];" ::"l"(p));
#endif
    }
}

}  // namespace quern
