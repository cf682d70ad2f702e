// Barriers in shared memory that count arrivals and bytes (mbarrier). Blocking waits need compute capability 9.0.
#pragma once

#include "copy.cuh"

namespace quern {

/// A phase ends after `count` arrivals, and when the bytes announced have come.
QUERN_DEVICE void mbarrier_init(u64* barrier, unsigned count) {
#if QUERN_SIM
    sim::runtime->mbarrier_init(shared_address(barrier), count);
#else
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(count) : "memory");
#endif
}

QUERN_DEVICE void mbarrier_invalidate(u64* barrier) {
#if QUERN_SIM
    sim::runtime->mbarrier_invalidate(shared_address(barrier));
#else
    asm volatile("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(shared_address(barrier)) : "memory");
#endif
}

QUERN_DEVICE void mbarrier_arrive(u64* barrier) {
#if QUERN_SIM
    sim::runtime->mbarrier_arrive(shared_address(barrier), 1, 0, true);
#else
    asm volatile("{\n .reg .b64 state;\n mbarrier.arrive.shared::cta.b64 state, [%0];\n}\n" ::"r"(shared_address(barrier))
                 : "memory");
#endif
}

#if QUERN_SIM || __CUDA_ARCH__ >= 900

/// Makes initialised barriers visible to the copy engine and the cluster.
QUERN_DEVICE void fence_mbarrier_init() {
#if !QUERN_SIM
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

/// Announces bytes of copies and arrives.
QUERN_DEVICE void mbarrier_arrive_expect(u64* barrier, unsigned bytes) {
#if QUERN_SIM
    sim::runtime->mbarrier_arrive(shared_address(barrier), 1, bytes, true);
#else
    asm volatile("{\n .reg .b64 state;\n mbarrier.arrive.expect_tx.shared::cta.b64 state, [%0], %1;\n}\n" ::"r"(
                     shared_address(barrier)),
                 "r"(bytes)
                 : "memory");
#endif
}

/// Arrives at the barrier at the same place in another block of the cluster.
QUERN_DEVICE void mbarrier_arrive_remote(u64* barrier, unsigned rank) {
#if QUERN_SIM
    sim::runtime->mbarrier_arrive((shared_address(barrier) & 0xffffff) | rank << 24, 1, 0, true);
#else
    asm volatile(
        "{\n .reg .b32 remote;\n mapa.shared::cluster.u32 remote, %0, %1;\n"
        " mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n}\n" ::"r"(shared_address(barrier)),
        "r"(rank)
        : "memory");
#endif
}

/// Waits for the end of the phase of this parity: 0 for the first one.
QUERN_DEVICE void mbarrier_wait(u64* barrier, unsigned parity) {
#if QUERN_SIM
    sim::runtime->mbarrier_test(shared_address(barrier), parity, true);
#else
    asm volatile(
        "{\n .reg .pred done;\nAGAIN:\n mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n @done bra DONE;\n"
        " bra AGAIN;\nDONE:\n}\n" ::"r"(shared_address(barrier)),
        "r"(parity)
        : "memory");
#endif
}

#endif

}  // namespace quern
