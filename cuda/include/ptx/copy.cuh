// Copies from global to shared memory that go on while the thread does (cp.async, compute capability 8.0).
#pragma once

#include "../types.cuh"

namespace quern {

/// A pointer into shared memory as the 32-bit address that PTX takes.
QUERN_DEVICE u32 shared_address(const void* p) {
#if QUERN_SIM
    auto* block = sim::current->block;
    return block->cluster_rank << 24 | static_cast<u32>(static_cast<const char*>(p) - block->window);
#else
    return static_cast<u32>(__cvta_generic_to_shared(p));
#endif
}

/// Copies Bytes (4, 8 or 16) that are aligned on both sides, or zeros where not valid; the source is not read then.
template <int Bytes>
QUERN_DEVICE void copy_async(void* shared, const void* global, bool valid) {
    static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#if QUERN_SIM
    sim::runtime->copy_async({static_cast<char*>(shared), static_cast<const char*>(global), Bytes, valid ? Bytes : 0u});
#else
    int bytes = valid ? Bytes : 0;
    if constexpr (Bytes == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
                     : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(shared)), "l"(global), "n"(Bytes),
                     "r"(bytes)
                     : "memory");
    }
#endif
}

/// Closes the group of the thread's copies since the last one.
QUERN_DEVICE void copy_commit() {
#if QUERN_SIM
    sim::runtime->copy_commit();
#else
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits until at most Left of the thread's groups are under way.
template <int Left>
QUERN_DEVICE void copy_wait() {
#if QUERN_SIM
    sim::runtime->copy_wait(Left);
#else
    asm volatile("cp.async.wait_group %0;" ::"n"(Left) : "memory");
#endif
}

}  // namespace quern
