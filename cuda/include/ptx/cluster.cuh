// Clusters of blocks: barriers, ranks, each other's shared memory. Compute capability 9.0.
#pragma once

#include "copy.cuh"

#if QUERN_SIM || __CUDA_ARCH__ >= 900
namespace quern {

QUERN_DEVICE unsigned cluster_rank() {
#if QUERN_SIM
    return sim::current->block->cluster_rank;
#else
    unsigned rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
#endif
}

QUERN_DEVICE void cluster_arrive() {
#if QUERN_SIM
    sim::runtime->cluster_barrier(true, false);
#else
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
#endif
}

QUERN_DEVICE void cluster_wait() {
#if QUERN_SIM
    sim::runtime->cluster_barrier(false, true);
#else
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

QUERN_DEVICE void cluster_barrier() {
    cluster_arrive();
    cluster_wait();
}

/// The same place in the shared memory of another block of the cluster.
template <class T>
QUERN_DEVICE T* in_block(T* shared, unsigned rank) {
#if QUERN_SIM
    u32 address = (shared_address(shared) & 0xffffff) | rank << 24;
    return reinterpret_cast<T*>(sim::runtime->shared_address(address, sizeof(T), "mapa"));
#else
    u64 mapped;
    asm("mapa.u64 %0, %1, %2;" : "=l"(mapped) : "l"(reinterpret_cast<u64>(shared)), "r"(rank));
    return reinterpret_cast<T*>(mapped);
#endif
}

}  // namespace quern
#endif
