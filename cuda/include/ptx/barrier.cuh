// Barriers of a block and fences.
#pragma once

#include "../types.cuh"

namespace quern {

/// __syncthreads(): all threads of the block, none may have exited.
QUERN_DEVICE void block_barrier() {
#if QUERN_SIM
    sim::runtime->barrier(0, 0, true);
#else
    __syncthreads();
#endif
}

/// Barrier id (1..15) for a number of threads, a multiple of 32.
QUERN_DEVICE void barrier_sync(int id, int threads) {
#if QUERN_SIM
    sim::runtime->barrier(static_cast<unsigned>(id), static_cast<unsigned>(threads), true);
#else
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
#endif
}

/// The same without waiting.
QUERN_DEVICE void barrier_arrive(int id, int threads) {
#if QUERN_SIM
    sim::runtime->barrier(static_cast<unsigned>(id), static_cast<unsigned>(threads), false);
#else
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
#endif
}

QUERN_DEVICE void memory_fence() {
#if QUERN_SIM
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#else
    __threadfence();
#endif
}

}  // namespace quern
